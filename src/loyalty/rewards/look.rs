//! What a member can have for points: a question in the form of a command, previewed and never posted, so that it is
//! answered by what would decide.

use crate::kernel::clock::Moment;
use crate::kernel::id::MemberId;
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::counters::CounterKey;
use crate::loyalty::ledger::facts::member_facts;
use crate::loyalty::ledger::posting::{Guess, Needs, Posting, Reference, RequestHash, Target};
use crate::loyalty::program::facts::Facts;
use crate::loyalty::program::model::{Rulebook, Timeline};
use crate::loyalty::rewards::error::RewardRefusal;
use crate::loyalty::rewards::offer::Offer;
use crate::loyalty::rewards::receipt::{GivesReceipt, RewardView, RewardsView};
use crate::loyalty::statement::language::{Asked, Language, tag_of};
use crate::loyalty::statement::why::reasons::sentence;

/// Look at the rewards.
#[derive(Clone, Debug)]
pub struct LookAtRewards {
    /// A name that nobody has used.
    pub named: Reference,
    /// Whose points.
    pub member: MemberId,
    /// In which language they are told; absent: the member's, or the programme's.
    pub language: Option<Asked>,
}

impl Posting for LookAtRewards {
    type Receipt = RewardsView;
    type Refusal = RewardRefusal;

    fn target(&self) -> Target {
        Target::Member(self.member)
    }

    fn reference(&self) -> Reference {
        self.named.clone()
    }

    fn request_hash(&self) -> RequestHash {
        RequestHash::of(&self.member)
    }

    fn needs(&self) -> Needs {
        Needs { profile: true, ..Needs::default() }
    }

    fn counters(&self, guess: Guess<'_>) -> Vec<CounterKey> {
        let Some((program, clock)) = guess.timeline.zip(guess.clock) else { return Vec::new() };
        let book = program.at(clock);
        let day = book.zone.day_of(clock);
        let limited = book.rewards.iter().filter_map(|reward| Some((&reward.code, reward.stock.as_ref()?)));
        limited.map(|(code, stock)| CounterKey::stock(guess.program, code, stock, day)).collect()
    }

    fn decide(
        &self,
        at: &Moment,
        program: &Timeline,
        accounts: &mut Accounts<'_>,
    ) -> Result<RewardsView, RewardRefusal> {
        let book = program.at(at.at);
        let attributes = accounts.attributes();
        let tag = tag_of(self.language.clone(), accounts.profile().locale.as_deref(), &book.language);
        let day = book.zone.day_of(at.at);
        let (account, counters) = accounts.account_and_counters()?;
        let facts = Facts {
            book,
            at: at.at,
            local: book.zone.time_of(at.at),
            member: member_facts(account, book, (at.at, day), attributes),
            order: None,
            event: None,
        };
        let offers = book.rewards.iter().map(|reward| Offer::of(reward, account, counters, (&facts, day)));
        Ok(RewardsView {
            as_of: at.at,
            currency: book.currency.code().to_owned(),
            language: Language::of(&tag).tag().to_owned(),
            items: offers.map(|offer| view(&offer, book, &tag)).collect(),
        })
    }
}

fn view(offer: &Offer<'_>, book: &Rulebook, tag: &str) -> RewardView {
    let reward = offer.reward;
    let text = reward.text.of(tag, &book.language).cloned().unwrap_or_default();
    let ours = offer.why_not.map(|reason| sentence(reason.name(), Language::of(tag)));
    RewardView {
        reward: reward.code.clone(),
        title: text.title,
        terms: text.terms,
        gives: GivesReceipt::of(&reward.gives, book.currency),
        valid: reward.valid.map(|valid| valid.to_string()),
        wallet: book.wallet_in(reward.wallet).map(|wallet| wallet.code.clone()).unwrap_or_default(),
        cost: offer.cost.get(),
        missing: offer.missing.get(),
        stock: offer.stock.map(|stock| stock.get()),
        times_left: offer.times.map(|times| times.get()),
        until: reward.schedule.until,
        available: offer.why_not.is_none(),
        reason: offer.why_not.map(|reason| reason.name().to_owned()),
        says: ours.map(|ours| text.says.unwrap_or(ours)),
    }
}

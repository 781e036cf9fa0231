//! A posting in a plain sentence, fit for the member and in the member's language.

use crate::loyalty::ledger::entry::{Entry, EntryKind};
use crate::loyalty::ledger::posting::{PostingKind, PostingRow};
use crate::loyalty::program::model::{Rulebook, WalletKind};
use crate::loyalty::statement::language::Language;

/// What happened: "2,000 points paid, 168 points earned".
pub fn says(row: &PostingRow, book: &Rulebook, language: Language) -> String {
    let redeemable = |e: &&Entry| {
        let wallet = book.wallet_in(e.wallet);
        wallet.is_some_and(|w| matches!(w.kind, WalletKind::Redeemable(_)))
    };
    let mut parts: Vec<String> = row.entries.iter().filter(redeemable).map(|entry| part(entry, language)).collect();
    parts.dedup();
    if parts.is_empty() { nothing(row.kind, language).to_owned() } else { parts.join(", ") }
}

fn part(entry: &Entry, language: Language) -> String {
    let points = entry.points.get();
    let noun = match points {
        1 => language.one_of("point", "punt", "Punkt"),
        _ => language.one_of("points", "punten", "Punkte"),
    };
    format!("{} {noun} {}", language.grouped(points), verb(entry.kind, language))
}

fn verb(kind: EntryKind, language: Language) -> &'static str {
    let (english, dutch, german) = match kind {
        EntryKind::Award => ("earned", "verdiend", "gesammelt"),
        EntryKind::Available => ("now available", "nu beschikbaar", "jetzt verfügbar"),
        EntryKind::Spend => ("paid", "ingewisseld", "eingelöst"),
        EntryKind::Restore => ("given back", "teruggegeven", "zurückgegeben"),
        EntryKind::ClawBack => {
            ("taken back for a return", "teruggenomen voor een retour", "wegen einer Rückgabe zurückgenommen")
        }
        EntryKind::Owe => ("owed for a return", "verschuldigd voor een retour", "wegen einer Rückgabe geschuldet"),
        EntryKind::Repay => {
            ("used to repay what was owed", "gebruikt om de schuld af te lossen", "zum Ausgleich der Schuld verwendet")
        }
        EntryKind::Expire => ("expired", "verlopen", "verfallen"),
        EntryKind::AdjustUp => ("added by us", "door ons toegevoegd", "von uns hinzugefügt"),
        EntryKind::AdjustDown => ("removed by us", "door ons afgetrokken", "von uns abgezogen"),
        EntryKind::Opening => ("brought along", "meegebracht", "mitgebracht"),
        EntryKind::TransferOut => {
            ("given to another member", "aan een ander lid gegeven", "an ein anderes Mitglied verschenkt")
        }
        EntryKind::TransferIn => {
            ("got from another member", "van een ander lid gekregen", "von einem anderen Mitglied erhalten")
        }
        EntryKind::Hold => ("put aside", "gereserveerd", "reserviert"),
        EntryKind::Release => ("no longer put aside", "niet meer gereserveerd", "nicht mehr reserviert"),
        EntryKind::Capture => {
            ("paid of what was put aside", "ingewisseld uit de reservering", "aus der Reservierung eingelöst")
        }
        EntryKind::MergeOut => {
            ("went along into another account", "naar een ander account verhuisd", "in ein anderes Konto übernommen")
        }
        EntryKind::MergeIn => {
            ("came along from another account", "van een ander account gekomen", "aus einem anderen Konto übernommen")
        }
        EntryKind::DebtOut => (
            "owed went along into another account",
            "schuld naar een ander account verhuisd",
            "Schuld in ein anderes Konto übernommen",
        ),
        EntryKind::DebtIn => (
            "owed came along from another account",
            "schuld van een ander account gekomen",
            "Schuld aus einem anderen Konto übernommen",
        ),
    };
    language.one_of(english, dutch, german)
}

fn nothing(kind: PostingKind, language: Language) -> &'static str {
    let (english, dutch, german) = match kind {
        PostingKind::Enrol => ("Welcome", "Welkom", "Willkommen"),
        PostingKind::Order => ("Order without points", "Bestelling zonder punten", "Bestellung ohne Punkte"),
        PostingKind::Return => ("Return without points", "Retour zonder punten", "Rückgabe ohne Punkte"),
        PostingKind::Adjust => ("Correction without points", "Correctie zonder punten", "Korrektur ohne Punkte"),
        PostingKind::CatchUp => ("Status updated", "Status bijgewerkt", "Status aktualisiert"),
        PostingKind::Opening => ("Status brought along", "Status meegebracht", "Status mitgebracht"),
        PostingKind::Change => ("Profile changed", "Profiel gewijzigd", "Profil geändert"),
        PostingKind::Transfer => ("Nothing given", "Niets gegeven", "Nichts verschenkt"),
        PostingKind::Received => ("Nothing got", "Niets gekregen", "Nichts erhalten"),
        PostingKind::Hold => ("Nothing put aside", "Niets gereserveerd", "Nichts reserviert"),
        PostingKind::Release => ("Nothing released", "Niets vrijgegeven", "Nichts freigegeben"),
        PostingKind::Suspend => ("Membership suspended", "Lidmaatschap opgeschort", "Mitgliedschaft ausgesetzt"),
        PostingKind::Reinstate => {
            ("Membership reinstated", "Lidmaatschap hersteld", "Mitgliedschaft wiederhergestellt")
        }
        PostingKind::Event => ("Something you did", "Iets wat u deed", "Etwas, das Sie taten"),
        PostingKind::GrantTier => ("Tier given by us", "Niveau door ons toegekend", "Status von uns verliehen"),
        PostingKind::ChangeSegment => {
            ("Group of members changed", "Groep van leden gewijzigd", "Mitgliedergruppe geändert")
        }
        PostingKind::Redeem => ("Reward redeemed", "Beloning ingewisseld", "Prämie eingelöst"),
        PostingKind::UseVoucher => ("Voucher used", "Tegoedbon gebruikt", "Gutschein verwendet"),
        PostingKind::ReverseUse => {
            ("Voucher usable again", "Tegoedbon weer te gebruiken", "Gutschein wieder verwendbar")
        }
        PostingKind::CancelVoucher => ("Reward given back", "Beloning teruggegeven", "Prämie zurückgegeben"),
        PostingKind::Erase => ("Forgotten", "Vergeten", "Vergessen"),
        PostingKind::MergeOut => (
            "Account merged into another",
            "Account met een ander samengevoegd",
            "Konto mit einem anderen zusammengeführt",
        ),
        PostingKind::MergeIn => (
            "Another account merged into this one",
            "Een ander account is hiermee samengevoegd",
            "Ein anderes Konto wurde mit diesem zusammengeführt",
        ),
    };
    language.one_of(english, dutch, german)
}

//! Whatever is written, reading ends with a condition or with mistakes in their places, and asking with an answer.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use crate::kernel::edges::{cases, decimal, odd_value, text as any_text};
use crate::loyalty::program::condition::eval::STEPS;
use crate::loyalty::program::condition::expr::{Expr, ExprKind};
use crate::loyalty::program::condition::lex::lex;
use crate::loyalty::program::condition::parse::parse;
use crate::loyalty::program::condition::tests::{World, ask, known};
use crate::loyalty::program::condition::tree::{Arithmetic, Comparison};
use crate::loyalty::program::condition::{EvalError, read};

/// A condition that is right by construction.
#[derive(Clone, Debug)]
enum Tree {
    Leaf(String),
    Prefix(&'static str, Box<Tree>),
    Pair(&'static str, Box<Tree>, Box<Tree>),
    Joined(&'static str, Vec<Tree>),
    Choice(Box<[Tree; 3]>),
    Method(Box<Tree>, &'static str, Box<Tree>),
    Lines(&'static str, Box<Tree>),
}

impl Tree {
    fn binds(&self) -> u8 {
        match self {
            Self::Choice(_) => 0,
            Self::Joined("||", _) => 1,
            Self::Joined(..) => 2,
            Self::Pair("+" | "-", ..) => 4,
            Self::Pair("*" | "/" | "%", ..) => 5,
            Self::Pair(..) => 3,
            Self::Prefix(..) => 6,
            Self::Leaf(_) | Self::Method(..) | Self::Lines(..) => 7,
        }
    }

    /// With as few brackets as the grammar needs.
    fn lean(&self, above: u8) -> String {
        let binds = self.binds();
        let text = match self {
            Self::Leaf(text) => text.clone(),
            Self::Prefix(sign, inner) => format!("{sign}{}", inner.lean(6)),
            Self::Pair(sign, a, b) if binds == 3 => format!("{} {sign} {}", a.lean(4), b.lean(4)),
            Self::Pair(sign, a, b) => format!("{} {sign} {}", a.lean(binds), b.lean(binds + 1)),
            Self::Joined(sign, parts) => {
                parts.iter().map(|part| part.lean(binds + 1)).collect::<Vec<_>>().join(&format!(" {sign} "))
            }
            Self::Choice(parts) => {
                let [when, then, otherwise] = &**parts;
                format!("{} ? {} : {}", when.lean(1), then.lean(1), otherwise.lean(0))
            }
            Self::Method(of, name, argument) => format!("{}.{name}({})", of.lean(7), argument.lean(0)),
            Self::Lines(name, body) => format!("order.lines.{name}(l, {})", body.lean(0)),
        };
        if binds < above { format!("({text})") } else { text }
    }

    /// With brackets around everything.
    fn full(&self) -> String {
        match self {
            Self::Leaf(text) => written(&parse(&lex(text).unwrap(), text.len()).unwrap()),
            Self::Prefix(sign, inner) => format!("({sign}{})", inner.full()),
            Self::Pair(sign, a, b) => format!("({} {sign} {})", a.full(), b.full()),
            Self::Joined(sign, parts) => {
                format!("({})", parts.iter().map(Self::full).collect::<Vec<_>>().join(&format!(" {sign} ")))
            }
            Self::Choice(parts) => {
                let [when, then, otherwise] = &**parts;
                format!("({} ? {} : {})", when.full(), then.full(), otherwise.full())
            }
            Self::Method(of, name, argument) => format!("{}.{name}({})", of.full(), argument.full()),
            Self::Lines(name, body) => format!("order.lines.{name}(l, {})", body.full()),
        }
    }
}

/// What was parsed, with brackets around everything.
fn written(expr: &Expr) -> String {
    let list = |parts: &[Expr], between: &str| parts.iter().map(written).collect::<Vec<_>>().join(between);
    match &expr.kind {
        ExprKind::Number(number) => number.to_string(),
        ExprKind::Text(text) => format!("{text:?}"),
        ExprKind::Flag(flag) => flag.to_string(),
        ExprKind::List(items) => format!("[{}]", list(items, ", ")),
        ExprKind::Name(name) => name.clone(),
        ExprKind::Field(of, name) => format!("{}.{name}", written(of)),
        ExprKind::Call(name, arguments) => format!("{name}({})", list(arguments, ", ")),
        ExprKind::Method(of, name, arguments) => format!("{}.{name}({})", written(of), list(arguments, ", ")),
        ExprKind::Not(inner) => format!("(!{})", written(inner)),
        ExprKind::Minus(inner) => format!("(-{})", written(inner)),
        ExprKind::All(parts) => format!("({})", list(parts, " && ")),
        ExprKind::Any(parts) => format!("({})", list(parts, " || ")),
        ExprKind::Compare(how, pair) => {
            let (sign, _) = Comparison::SIGNS.iter().find(|(_, known)| known == how).unwrap();
            format!("({})", list(&**pair, &format!(" {sign} ")))
        }
        ExprKind::In(pair) => format!("({})", list(&**pair, " in ")),
        ExprKind::Arithmetic(how, pair) => {
            let sign = match how {
                Arithmetic::Plus => "+",
                Arithmetic::Minus => "-",
                Arithmetic::Times => "*",
                Arithmetic::Over => "/",
                Arithmetic::Rest => "%",
            };
            format!("({})", list(&**pair, &format!(" {sign} ")))
        }
        ExprKind::Choice(parts) => {
            let [when, then, otherwise] = &**parts;
            format!("({} ? {} : {})", written(when), written(then), written(otherwise))
        }
    }
}

fn leaf(texts: &[&'static str]) -> BoxedStrategy<Tree> {
    select(texts.to_vec()).prop_map(|text| Tree::Leaf(text.to_owned())).boxed()
}

fn pair(signs: &[&'static str], part: impl Strategy<Value = Tree> + Clone + 'static) -> BoxedStrategy<Tree> {
    let pair = (select(signs.to_vec()), part.clone(), part);
    pair.prop_map(|(sign, a, b)| Tree::Pair(sign, Box::new(a), Box::new(b))).boxed()
}

fn choice(depth: u32, line: bool, part: BoxedStrategy<Tree>) -> impl Strategy<Value = Tree> {
    (flag(depth, line), part.clone(), part).prop_map(|(when, a, b)| Tree::Choice(Box::new([when, a, b])))
}

fn number(depth: u32, line: bool) -> BoxedStrategy<Tree> {
    let named = ["order.total", "member.order_count", "member.attributes.other", "member.attributes.missing"];
    let named = if line { ["l.amount", "l.quantity", "order.quantity", "l.attributes['shoe size']"] } else { named };
    let most = ["0", "1", "2.50", "79228162514264337593543950335", "0.0000000000000000000000000001", "3"];
    let leaves = prop_oneof![leaf(&named), leaf(&most)].boxed();
    let Some(below) = depth.checked_sub(1) else { return leaves };
    let part = number(below, line);
    let minus = part.clone().prop_map(|part| Tree::Prefix("-", Box::new(part)));
    let arithmetic = pair(&["+", "-", "*", "/", "%"], part.clone());
    prop_oneof![2 => leaves, 3 => arithmetic, 1 => minus, 1 => choice(below, line, part)].boxed()
}

fn text(depth: u32, line: bool) -> BoxedStrategy<Tree> {
    let named = ["order.channel", "member.tier", "member.segment", "member.arms.banner", "member.attributes.city"];
    let named = if line { ["l.sku", "l.category", "l.brand", "l.kind", "order.store"] } else { named };
    let odd = ["''", "'gold'", "\"it's\"", "'\\u00e9\\n\\\\'", "'👩'"];
    let leaves = prop_oneof![leaf(&named), leaf(&odd)].boxed();
    let Some(below) = depth.checked_sub(1) else { return leaves };
    let part = text(below, line);
    prop_oneof![3 => leaves, 1 => pair(&["+"], part.clone()), 1 => choice(below, line, part)].boxed()
}

fn flag(depth: u32, line: bool) -> BoxedStrategy<Tree> {
    let leaves = leaf(&[
        "true",
        "false",
        "member.attributes.news",
        "order.attributes.news",
        "7 in [1, -7, 7]",
        "'vip' in member.segments",
        "now.date in [date('2026-12-24')]",
    ]);
    let leaves = leaves.prop_map(|tree| match tree {
        Tree::Leaf(text) if text.contains(" in ") => Tree::Leaf(format!("({text})")),
        other => other,
    });
    let Some(below) = depth.checked_sub(1) else { return leaves.boxed() };
    let signs = Comparison::SIGNS.map(|(sign, _)| sign);
    let part = flag(below, line);
    let joined = (select(vec!["&&", "||"]), prop::collection::vec(part.clone(), 2..4));
    let search = (text(below, line), select(vec!["startsWith", "endsWith", "contains"]), text(below, line));
    let lines = (select(vec!["exists", "all"]), flag(below, true));
    prop_oneof![
        2 => leaves,
        3 => pair(&signs, number(below, line)),
        // Codes have no order, and must exist; texts that are computed may be anything.
        1 => pair(&signs, text(below, line).prop_map(|text| Tree::Pair("+", Box::new(text), Box::new(Tree::Leaf("''".into()))))),
        1 => pair(&signs, leaf(&["now.date", "member.attributes.birthday", "date('1990-12-24')"])),
        1 => pair(&signs, part.clone()),
        2 => joined.prop_map(|(sign, parts)| Tree::Joined(sign, parts)),
        1 => part.clone().prop_map(|part| Tree::Prefix("!", Box::new(part))),
        1 => search.prop_map(|(of, name, part)| Tree::Method(Box::new(of), name, Box::new(part))),
        1 => lines.prop_map(move |(name, body)| if line { body } else { Tree::Lines(name, Box::new(body)) }),
        1 => choice(below, line, part),
    ]
    .boxed()
}

/// Words and signs in any order, mostly wrong.
fn soup() -> impl Strategy<Value = String> {
    let words = "order line member event now l . total lines exists all ( ) [ ] , ? : && || ! - + * / % == != < <= > >= \
        in true false date 'gold' \"a\" 1 2.5 1u 1e3 '\\ = & and null . attributes city tier segments kind { }";
    let word = select(words.split_whitespace().collect::<Vec<_>>());
    let gap = select(vec!["", " ", "\n", "//"]);
    let soup = prop::collection::vec((word, gap), 0..40);
    soup.prop_map(|words| words.into_iter().flat_map(|(word, gap)| [word, gap]).collect())
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn what_is_printed_is_read_again(tree in flag(4, false)) {
        let text = tree.lean(0);
        let lexemes = lex(&text).unwrap();
        match parse(&lexemes, text.len()) {
            Ok(expr) => prop_assert_eq!(written(&expr), tree.full(), "{}", text),
            Err(mistake) => prop_assert!(mistake.message.contains("deep"), "{}: {:?}", text, mistake),
        }
    }

    #[test]
    fn no_condition_takes_more_steps_than_it_says(tree in flag(4, false), empty in any::<bool>()) {
        let (text, world) = (tree.lean(0), World::new());
        match read(&text, &world.scope()) {
            Err(mistakes) => {
                let limits = ["steps", "deep", "characters"];
                prop_assert!(limits.iter().any(|limit| mistakes[0].message.contains(limit)), "{}: {:?}", text, mistakes);
            }
            Ok(condition) => ask(&known(), empty, |facts, line| {
                STEPS.set(0);
                let first = condition.holds(facts, Some(line));
                assert!(STEPS.get() <= condition.cost().into(), "{text}: {} of {}", STEPS.get(), condition.cost());
                assert_eq!(first, condition.holds(facts, Some(line)), "{text}");
            }),
        }
    }

    #[test]
    fn any_text_is_read_or_has_its_mistakes_in_their_places(
        text in prop_oneof![4 => soup(), 1 => any_text(), 1 => flag(3, false).prop_map(|tree| tree.lean(0))],
        cut in any::<prop::sample::Index>(),
        line in any::<bool>(),
    ) {
        let world = World::new();
        let cut = text.char_indices().map(|(at, _)| at).nth(cut.index(text.chars().count().max(1))).unwrap_or(0);
        for text in [text.as_str(), &text[cut..], &text[..cut]] {
            let scope = if line { world.lines() } else { world.scope() };
            match read(text, &scope) {
                Ok(condition) => prop_assert_eq!(condition.text(), text),
                Err(mistakes) => {
                    prop_assert!(!mistakes.is_empty(), "{}", text);
                    for mistake in mistakes {
                        prop_assert!(text.get(mistake.at..mistake.at + mistake.len).is_some(), "{}: {:?}", text, mistake);
                        prop_assert!(!mistake.message.is_empty());
                    }
                }
            }
        }
    }

    #[test]
    fn figures_at_the_edges_are_answered_or_refused(a in decimal(), b in decimal(), sign in select(vec!["+", "-", "*", "/", "%"])) {
        let (mut member, world) = (known(), World::new());
        member.insert("other".into(), Value::from(a.to_string()));
        member.insert("shoe size".into(), Value::from(b.to_string()));
        let text = format!("member.attributes.other {sign} member.attributes['shoe size'] <= -member.attributes.other");
        let condition = read(&text, &world.scope()).unwrap();
        let answer = ask(&member, false, |facts, _| condition.holds(facts, None));
        let divides = matches!(sign, "/" | "%") && b.is_zero();
        prop_assert!(!divides || answer == Err(EvalError::DivisionByZero));
        prop_assert!(divides || matches!(answer, Ok(_) | Err(EvalError::TooLarge)), "{:?}", answer);
    }

    #[test]
    fn any_attribute_is_read_or_is_of_another_type(value in odd_value(), name in select(vec!["city", "other", "news", "birthday"])) {
        let (mut member, world) = (known(), World::new());
        member.insert(name.into(), value);
        let text = format!("member.attributes.{name} == member.attributes.{name}");
        let condition = read(&text, &world.scope()).unwrap();
        let answer = ask(&member, false, |facts, _| condition.holds(facts, None));
        prop_assert!(matches!(answer, Ok(true) | Err(EvalError::Unknown(_) | EvalError::Mistyped(..))), "{:?}", answer);
    }
}

//! Reasons in plain sentences, fit for the member.

use crate::loyalty::program::reason::Reason;
use crate::loyalty::statement::language::Language;

/// Every reason with what is said of it, in English, Dutch and German.
const REASONS: [(Reason, [&str; 3]); 18] = [
    (Reason::NotScheduled, ["It was not its time", "Het was er de tijd niet voor", "Es war nicht die Zeit dafür"]),
    (
        Reason::NotNamed,
        [
            "It was not used for this order",
            "Niet gebruikt bij deze bestelling",
            "Bei dieser Bestellung nicht verwendet",
        ],
    ),
    (
        Reason::CodeNotGiven,
        ["Its code was not entered", "De code is niet ingevoerd", "Der Code wurde nicht eingegeben"],
    ),
    (Reason::WrongTier, ["It is for another tier", "Het is voor een ander niveau", "Es ist für einen anderen Status"]),
    (Reason::WrongSegment, ["It is for other members", "Het is voor andere leden", "Es ist für andere Mitglieder"]),
    (Reason::WrongArm, ["It is for other members", "Het is voor andere leden", "Es ist für andere Mitglieder"]),
    (
        Reason::ConditionFalse,
        ["What it asks for was not so", "Aan de voorwaarde is niet voldaan", "Die Bedingung war nicht erfüllt"],
    ),
    (
        Reason::ConditionFailed,
        [
            "What it asks for is not known",
            "Of aan de voorwaarde is voldaan, is niet bekend",
            "Ob die Bedingung erfüllt war, ist nicht bekannt",
        ],
    ),
    (
        Reason::NoMatchingLines,
        [
            "Nothing that was bought is what it is for",
            "Er is niets gekocht waarvoor het geldt",
            "Nichts Gekauftes zählt dafür",
        ],
    ),
    (
        Reason::RoundsToZero,
        ["It comes to less than a point", "Het is minder dan één punt", "Es ergibt weniger als einen Punkt"],
    ),
    (Reason::TakesNothing, ["Nothing would come off", "Er zou niets afgaan", "Es würde nichts abgezogen"]),
    (
        Reason::StackHadBetter,
        ["Something better applied instead", "Er gold iets beters", "Stattdessen galt etwas Besseres"],
    ),
    (
        Reason::CapReached,
        [
            "You had as much of it as you can",
            "U had er al zoveel van als kan",
            "Sie hatten schon so viel davon wie möglich",
        ],
    ),
    (Reason::BudgetSpent, ["All of it was given out", "Alles was al uitgegeven", "Alles war schon vergeben"]),
    (
        Reason::LimitReached,
        [
            "It was used as often as it can be",
            "Het was al zo vaak gebruikt als kan",
            "Es wurde schon so oft genutzt wie möglich",
        ],
    ),
    (Reason::OutOfStock, ["Nothing is left of it", "Er is niets meer van", "Davon ist nichts mehr da"]),
    (
        Reason::InsufficientPoints,
        [
            "It costs more points than you have",
            "Het kost meer punten dan u hebt",
            "Es kostet mehr Punkte, als Sie haben",
        ],
    ),
    (
        Reason::MemberSuspended,
        ["Your membership was suspended", "Uw lidmaatschap was opgeschort", "Ihre Mitgliedschaft war ausgesetzt"],
    ),
];

/// A reason by its name, in a sentence; the name where it is none of ours.
pub fn sentence(reason: &str, language: Language) -> String {
    let known = REASONS.iter().find(|(known, _)| known.name() == reason);
    known.map_or(reason, |(_, [english, dutch, german])| language.one_of(english, dutch, german)).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_sentence_of_its_own_name() {
        let names: Vec<&str> = REASONS.iter().map(|(reason, _)| reason.name()).collect();
        for name in &names {
            assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{name}");
            assert_ne!(sentence(name, Language::German), *name);
        }
        assert_eq!(sentence("budget_spent", Language::Dutch), "Alles was al uitgegeven");
        assert_eq!(sentence("of another time", Language::English), "of another time");
    }
}

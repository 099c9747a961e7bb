#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A comparison that says why it shows little.
public protocol Doubted {
    var doubts: [Doubt] { get }
}

/// Why a comparison does not show that there was anything to learn. It is said before anything else.
public struct Doubt: Sendable, Codable, Equatable {
    public enum Kind: String, Sendable, Codable {
        /// Hardly any answers differ from the rest.
        case oneAnswer = "one_answer"
        case fewPeople = "few_people"
        /// The best model's gain over an answer that is the same for everybody lies within its interval.
        case noGain = "no_gain"
    }

    public let kind: Kind
    /// One sentence.
    public let words: String

    /// People in a test part from whom differences can be told.
    public static let leastPeople = 10
    /// Answers rarer than this teach little.
    public static let leastShare = 0.01

    /// - Parameters:
    ///   - share: of the questions whose answer is yes, where they have such answers.
    ///   - gain: the best model against an answer that is the same for everybody.
    public static func all(people: Int, questions: Int, share: Double? = nil, gain: Difference?) -> [Doubt] {
        var doubts: [Doubt] = []
        if people < leastPeople {
            doubts.append(
                Doubt(
                    kind: .fewPeople,
                    words: "No verdict: the test part is of \(people) \(people == 1 ? "person" : "people"), too few to "
                        + "tell models apart."))
        }
        if let share, min(share, 1 - share) < leastShare || min(share, 1 - share) * Double(questions) < 9.5 {
            let rare = Int((min(share, 1 - share) * Double(questions)).rounded())
            doubts.append(
                Doubt(
                    kind: .oneAnswer,
                    words: "Little to learn from: \(rare) of the test part's \(questions) questions have "
                        + "\(share < 0.5 ? "a return" : "no return"), the others have \(share < 0.5 ? "none" : "one").")
            )
        }
        if let gain, !gain.isWin {
            doubts.append(
                Doubt(
                    kind: .noGain,
                    words:
                        "Nothing is shown to be learned: \(gain.model) \(gain.outcome) \(gain.baseline), the same answer "
                        + "for everybody, in \(gain.measure)."))
        }
        return doubts
    }
}

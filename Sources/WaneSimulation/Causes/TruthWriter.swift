import Foundation
import WaneCurves
import WaneEvents

/// Writes what was planted beside a log.
public enum TruthWriter {
    public static let columns = [
        "user", "topic", "from", "to", "cause", "multiplier", "base_half_life_seconds", "half_life_seconds",
    ]

    /// A row for each span and each circumstance in it, with cause `none` where there is none.
    public static func write(_ result: CausedLog, to path: String) throws {
        let file = try OutputFile(path)
        var text = columns.joined(separator: ",") + "\n"
        for span in result.spans {
            let (from, to) = (moment(span.from), moment(span.to))
            let causes = span.multipliers.map { ($0.cause.rawValue, $0.multiplier) }
            for (cause, multiplier) in causes.isEmpty ? [("none", 1)] : causes {
                text += "user-\(span.user + 1),\(result.scenario.topics[span.topic].name),\(from),\(to),\(cause),"
                text += String(format: "%.4f,%.0f,%.0f\n", multiplier, span.baseHalfLife, span.halfLife)
            }
            if text.utf8.count > 1 << 16 {
                try file.write(text)
                text = ""
            }
        }
        try file.write(text)
        try file.close()
    }

    /// `UserID,FriendID`: whom each person looks at.
    public static func writeFriends(_ result: CausedLog, to path: String) throws {
        let file = try OutputFile(path)
        try file.write("UserID,FriendID\n")
        for (user, person) in result.scenario.people.enumerated() where !person.friends.isEmpty {
            try file.write(person.friends.map { "user-\(user + 1),user-\($0 + 1)\n" }.joined())
        }
        try file.close()
    }

    private static func moment(_ seconds: Double) -> String {
        TimeFormat.words(Int64(Simulator.start + seconds) * EventLog.second)
    }
}

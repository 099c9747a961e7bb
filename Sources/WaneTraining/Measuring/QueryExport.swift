import Foundation
import WaneBundle
import WaneEvents
import WaneState
import WaneTasks

/// Writes the queries of all parts with every feature and label, so that a model made elsewhere can be
/// measured on the same rows.
public enum QueryExport {
    public static func write(_ task: InterestTask, _ options: TrainingOptions, to path: String) throws {
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let handle = FileHandle(forWritingAtPath: path)
        else { throw StorageError.cannotWrite(path: path, reason: "the file cannot be made") }
        let names = FeatureSchema.lastEventNames + FeatureSchema.queryTimeNames
        let log = task.histories.log
        try handle.write(
            contentsOf: Data(
                ("part,user,topic,moment," + names.joined(separator: ",") + ",did_return,time_to_return,degree\n").utf8)
        )
        let counts: [(Part, Int)] = [
            (.train, options.trainQueries), (.validation, options.validationQueries), (.test, options.testQueries),
        ]
        let (a, t) = (FeatureSchema.lastEventCount, FeatureSchema.queryTimeCount)
        for (part, count) in counts {
            let queries = try task.queries(part, count: count, seed: options.seed)
            var text = ""
            for row in 0..<queries.count {
                let user = log.users[Int(queries.user[row])]
                let topic = log.topics.names[Int(queries.topic[row])]
                text += "\(part.rawValue),\(CSVField.quoted(user)),\(CSVField.quoted(topic)),"
                // A place in the person's own history in a log without times.
                let first = task.histories.userStarts[Int(queries.user[row])]
                text +=
                    log.clock == .wall
                    ? TimeFormat.rfc3339(queries.moment[row]) : log.words(queries.moment[row], firstEvent: first)
                for value in queries.lastEventFeatures[row * a..<(row + 1) * a] { text += ",\(value)" }
                for value in queries.queryTimeFeatures[row * t..<(row + 1) * t] { text += ",\(value)" }
                text +=
                    ",\(queries.didReturn[row]),\(queries.timeToReturn[row].isFinite ? "\(queries.timeToReturn[row])" : ""),\(queries.degree[row])\n"
                if text.utf8.count > 1 << 20 {
                    try handle.write(contentsOf: Data(text.utf8))
                    text = ""
                }
            }
            try handle.write(contentsOf: Data(text.utf8))
        }
        try handle.close()
    }
}

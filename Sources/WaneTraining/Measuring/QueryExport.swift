import Foundation
import WaneData

/// Writes the queries of all parts with every feature and label, so that a model made elsewhere can be
/// measured on the same rows.
public enum QueryExport {
    public static func write(_ task: InterestTask, _ options: TrainingOptions, to path: String) throws {
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let handle = FileHandle(forWritingAtPath: path)
        else { throw StorageError.cannotWrite(path: path, reason: "the file cannot be made") }
        let names = FeatureBuilder.anchoredNames + FeatureBuilder.timedNames
        try handle.write(
            contentsOf: Data(("part,user,topic,moment," + names.joined(separator: ",") + ",returned,degree\n").utf8))
        let counts: [(Part, Int)] = [
            (.train, options.trainQueries), (.validation, options.validationQueries), (.test, options.testQueries),
        ]
        let (a, t) = (FeatureBuilder.anchoredCount, FeatureBuilder.timedCount)
        for (part, count) in counts {
            let queries = try task.queries(part, count: count, seed: options.seed)
            var text = ""
            for row in 0..<queries.count {
                text += "\(part.rawValue),\(queries.user[row]),\(queries.topic[row]),\(queries.moment[row])"
                for value in queries.anchored[row * a..<(row + 1) * a] { text += ",\(value)" }
                for value in queries.timed[row * t..<(row + 1) * t] { text += ",\(value)" }
                text += ",\(queries.returned[row]),\(queries.degree[row])\n"
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

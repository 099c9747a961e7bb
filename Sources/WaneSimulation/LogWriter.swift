import Foundation
import WaneEvents

/// Writes a log as the CSV that the reader takes as it stands.
public enum LogWriter {
    /// `UserID,Time,PageID,Duration,Topic`, in order of time as a server would have written it.
    public static func csv(_ log: EventLog, to path: String) throws {
        let order = (0..<log.count).sorted { log.time[$0] < log.time[$1] }
        var text = "UserID,Time,PageID,Duration,Topic\n"
        let file = try OutputFile(path)
        for index in order {
            let topics = log.topics[log.item[index]].map { log.topics.names[Int($0)] }.joined(separator: "|")
            let seconds = log.duration.map { $0[index].isNaN ? "" : "\($0[index])" } ?? ""
            text += "\(log.users[Int(log.user[index])]),\(TimeFormat.words(log.time[index])),"
            text += "\(log.items[Int(log.item[index])]),\(seconds),\(topics)\n"
            if text.utf8.count > 1 << 16 {
                try file.write(text)
                text = ""
            }
        }
        try file.write(text)
        try file.close()
    }
}

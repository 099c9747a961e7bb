import Foundation

/// How to read a log; every default is what most logs need.
public struct ReadingOptions: Sendable, Equatable {
    /// Column names by role, where the aliases do not find them.
    public var map: [ColumnRole: String] = [:]
    /// The same of a model's own log: they hold where a file has such columns.
    public var preferredMap: [ColumnRole: String] = [:]
    /// The columns of a file without a header, in order.
    public var columns: [String]?
    /// The byte between fields; found from the first line when absent.
    public var delimiter: String?
    public var timeFormat = TimeFormat.auto
    /// The zone of times that name none.
    public var timeZone: TimeZone?
    /// How a model's own log had its times, where this one leaves it open.
    public var preferredTimes: TimeFormat?
    /// Seconds in one unit of the duration column; what its name says, else one, when absent.
    public var durationUnit: Double?
    /// Whether a comma stands before the decimals of durations and weights, and points between thousands.
    public var decimalComma = false
    /// The person whose rows these are, where no column says.
    public var userID: String?
    /// Takes the person from the name of each file, or of its folder.
    public var userFrom: UserSource?
    /// The same of a model's own log: it holds where a file has no column of people.
    public var preferredUserFrom: UserSource?
    /// What stands between several topics of one row.
    public var topicSeparator: String?
    /// Engagement by type of event, in 0...1.
    public var eventWeights: [String: Float] = [:]
    /// Whether rows of what people were shown stay rows: for who hands a log on, and does not ask what is in it.
    public var keepsExposures = false
    /// Whether a log may lack some of the types that weights are given for: one that a model's own log had, say.
    public var mayLackEventTypes = false
    /// Stop at the first row that cannot be read.
    public var strict = false
    /// A file that keeps every row set aside.
    public var rejects: String?
    /// A side file of items with their topics.
    public var items: String?
    /// Threads that read one file.
    public var threads = min(16, ThreadCount.available)
    /// Bytes that a thread reads at a time.
    var blockSize = DelimitedReader.blockSize

    /// Keep this person's rows only; the others are passed over as they are read.
    public var onlyUser: String?

    public init() {}
}

/// Where a person's name stands when no column has it.
public enum UserSource: String, Sendable, CaseIterable {
    /// The file's name without its last extensions.
    case file
    /// The name of the folder that the file lies in.
    case folder

    func name(_ path: String) -> String {
        let url = URL(fileURLWithPath: path)
        if self == .folder { return url.deletingLastPathComponent().lastPathComponent }
        let name = url.lastPathComponent
        return String(name.prefix { $0 != "." })
    }
}

/// Models and baselines measured on the same test rows, whatever the task.
///
/// Which row speaks for the models and which for the baselines is decided on validation; the test only measures them.
public struct Comparison<Report: Sendable & Codable>: Sendable, Codable {
    public struct Row: Sendable, Codable {
        public let name: String
        public let isModel: Bool
        /// What validation chose, where there was a choice.
        public let setting: String
        public let report: Report
        /// What is to be small on the validation part; nothing for rows that cannot be chosen by it.
        public let validation: Double?
        /// Seconds to fit, the choice of settings included, where it was measured.
        public let seconds: Double?

        public init(
            name: String, isModel: Bool, setting: String = "", report: Report, validation: Double?,
            seconds: Double? = nil
        ) {
            self.name = name
            self.isModel = isModel
            self.setting = setting
            self.report = report
            self.validation = validation
            self.seconds = seconds
        }
    }

    public private(set) var rows: [Row] = []

    public init() {}

    public mutating func add(_ row: Row) { rows.append(row) }

    /// The row with the least validation value among models, or among baselines.
    public func best(models: Bool) -> Row? { bestIndex(models: models).map { rows[$0] } }

    public func bestIndex(models: Bool) -> Int? {
        rows.indices.filter { rows[$0].isModel == models && rows[$0].validation?.isFinite == true }
            .min { rows[$0].validation ?? .infinity < rows[$1].validation ?? .infinity }
    }
}

/// One model against one baseline in one measure: the difference, and the 95 % interval of it over people.
public struct Difference: Sendable, Codable, Equatable {
    public let measure: String
    public let model: String
    public let baseline: String
    /// Model minus baseline.
    public let value: Double
    public let interval: Evaluation.Interval?
    public let lessIsBetter: Bool

    public init(
        measure: String, model: String, baseline: String, value: Double, interval: Evaluation.Interval?,
        lessIsBetter: Bool
    ) {
        self.measure = measure
        self.model = model
        self.baseline = baseline
        self.value = value
        self.interval = interval
        self.lessIsBetter = lessIsBetter
    }

    /// `beats`, `LOSES to` or `is level with`, as far as the interval can tell.
    public var outcome: String {
        let sign = lessIsBetter ? 1.0 : -1.0
        guard let interval else { return value * sign < 0 ? "is better than" : "is not better than" }
        let (low, high) = (
            min(interval.low * sign, interval.high * sign), max(interval.low * sign, interval.high * sign)
        )
        return high < 0 ? "beats" : low > 0 ? "LOSES to" : "is level with"
    }

    /// Whether the model is shown to be better.
    public var isWin: Bool { outcome == "beats" }
    /// Whether neither is shown to be better.
    public var isLevel: Bool { outcome == "is level with" }
}

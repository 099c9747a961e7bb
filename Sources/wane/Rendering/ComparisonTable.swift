import WaneEvents
import WaneMetrics
import WaneTasks
import WaneTraining

/// A comparison as a table: models first, then baselines from the best log loss down.
enum ComparisonTable {
    static let columns: [(heading: String, measure: String)] = [
        ("log loss", "log_loss"), ("ROC-AUC", "roc_auc"), ("PR-AUC", "pr_auc"), ("F1", "f1"), ("ECE", "ece"),
        ("MAE", "mae"), ("RMSE", "rmse"), ("R2", "r2"),
    ]

    static func table(_ comparison: InterestComparison) -> Table {
        var table = Table(["", "log loss (95 %)"] + columns.dropFirst().map(\.heading))
        for row in ordered(comparison) {
            let values = Dictionary(uniqueKeysWithValues: row.report.evaluation.measures.map { ($0.name, $0.value) })
            let interval =
                row.report.evaluation.intervals["log_loss"].map { " [\(short($0.low)), \(short($0.high))]" } ?? ""
            table.rows.append(
                [row.isModel ? "\(row.name) *" : row.name, Render.number(values["log_loss"] ?? .nan) + interval]
                    + columns.dropFirst().map { Render.number(values[$0.measure] ?? .nan) })
        }
        return table
    }

    private static func short(_ value: Double) -> String { Render.number(value, 3) }

    static func ordered(_ comparison: InterestComparison) -> [Comparison<InterestComparison.Report>.Row] {
        func loss(_ row: Comparison<InterestComparison.Report>.Row) -> Double {
            row.report.evaluation.classification.logLoss
        }
        return comparison.rows.sorted { ($0.isModel ? 0 : 1, loss($0)) < ($1.isModel ? 0 : 1, loss($1)) }
    }

    static func print(_ comparison: InterestComparison, _ format: ReportFormat, clock: EventLog.Clock) throws {
        switch format {
        case .json: StandardOutput.print(try Render.json(comparison))
        case .csv:
            let names = comparison.rows.first?.report.evaluation.measures.map(\.name) ?? []
            let bounded = names.filter { name in
                comparison.rows.contains { $0.report.evaluation.intervals[name] != nil }
            }
            try RowPrinter.printMeasures(
                names + bounded.flatMap { ["\($0)_low", "\($0)_high"] },
                ordered(comparison).map { row in
                    let e = row.report.evaluation
                    return (
                        row.name, row.isModel,
                        e.measures.map { $0.value } + bounded.flatMap { [e.intervals[$0]?.low, e.intervals[$0]?.high] }
                    )
                })
        case .table:
            for sentence in comparison.sentences { StandardOutput.print(sentence) }
            if comparison.leaks { StandardOutput.print("The split is random: the future leaks into training.") }
            StandardOutput.print(
                "\(comparison.testQueries) test queries of \(comparison.people) people; "
                    + "\(Render.number(100 * comparison.baseRate, 1)) % come back within "
                    + "\(TimeSpan.words(comparison.horizon, clock)). * deep model\n")
            StandardOutput.print(Self.table(comparison).text)
        }
    }
}

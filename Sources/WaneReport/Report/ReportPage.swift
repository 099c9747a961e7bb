import Foundation
import WaneBundle
import WaneCurves
import WaneEvents
import WaneMetrics
import WanePrediction
import WaneTasks
import WaneTraining

/// A comparison as one HTML file: the log, the table of models beside baselines, calibration, decay curves,
/// and how training went.
public struct ReportPage {
    let title: String
    let summary: LogSummary
    let comparison: InterestComparison
    let models: [ModelBundle]
    let task: InterestTask
    /// Planted and recovered half-lives, where the log was simulated.
    public var recovery: Recovery?
    /// Half-lives of topics by the model that draws the curves.
    public var topics: [TopicSummary] = []
    /// The command that made the page, as typed, and the day.
    public var command = ""
    public var date = ""

    public init(
        title: String, summary: LogSummary, comparison: InterestComparison, models: [ModelBundle],
        task: InterestTask
    ) {
        self.title = title
        self.summary = summary
        self.comparison = comparison
        self.models = models
        self.task = task
    }

    public func html() throws -> String {
        var body = "<h1>Interest in \(Page.escape(title))</h1>\n"
        body += verdicts + facts + table
        body += "<div class=\"grid\">" + intervals + "</div>"
        body +=
            "<h2>Calibration</h2><p class=\"soft\">Predicted chances of coming back against what happened; on the dashed line both agree.</p>\n"
        body += "<div class=\"grid\">" + calibration + "</div>"
        body += "<h2>Decay</h2>" + decayWords + "<div class=\"grid\">" + returnCurve + (try personCurves()) + "</div>"
        body += topicTable
        if let recovery { body += recoverySection(recovery) }
        body += causeTable
        body += "<h2>Training</h2><div class=\"grid\">" + trainingCurves + "</div>" + made
        return Page.html(title: "Wane: \(title)", body: body)
    }

    private var clock: EventLog.Clock { summary.clock }

    /// The model whose curves are drawn: the best of those that have some, by validation.
    public static func drawn(_ models: [ModelBundle], _ comparison: InterestComparison) -> ModelBundle? {
        let best = comparison.table.best(models: true)?.name
        return models.first { $0.hasCurves && $0.description.family == best } ?? models.first(where: \.hasCurves)
    }

    private var drawn: ModelBundle? { Self.drawn(models, comparison) }

    private static func name(_ model: ModelBundle) -> String {
        "\(model.description.family), seed \(model.description.training.seed)"
    }

    private var decayWords: String {
        guard let drawn else { return "" }
        return
            "<p class=\"soft\">Curves and half-lives are of \(Page.escape(Self.name(drawn))). A half-life counts from the last "
            + "touch, while the person stays around; marks along the bottom are touches before.</p>"
    }

    private var topicTable: String {
        guard let drawn, !topics.isEmpty else { return "" }
        return
            "<h2>Topics</h2><p class=\"soft\">At the log's end; median half-life over people who have met the topic, and between "
            + "what eight of ten lie.</p>" + TopicsPage.table(topics, drawn)
    }

    /// What the log shows of each cause, beside placebos, for models that tell them apart.
    private var causeTable: String {
        guard let model = models.first(where: { $0.description.causes != nil }), let record = model.description.causes
        else { return "" }
        var out =
            "<h2>Causes</h2><p class=\"soft\">What moves half-lives, by \(Page.escape(Self.name(model))): how much better people's "
            + "sensitivities to a circumstance explain the times between their touches than none, in nats, and the same with the "
            + "circumstances of other people (placebo). What is not shown is credited with nothing.</p>"
        if let obstacle = record.obstacle {
            return out + "<p class=\"verdict level\">Not told apart: \(Page.escape(obstacle)).</p>"
        }
        out += "<div class=\"scroll\"><table><tr>"
        for heading in ["cause", "shown", "met by", "at its fullest", "people differ by", "nats", "placebo"] {
            out += "<th>\(heading)</th>"
        }
        out += "</tr>\n"
        for cause in Cause.allCases {
            let evidence = record.evidence[cause]
            let isMet = evidence.people > 0
            let cells = [
                cause.rawValue, isMet ? evidence.isShown ? "yes" : "no" : "not measured", Page.count(evidence.people),
                isMet ? String(format: "half-life ×%.2f", exp(evidence.mean)) : "–",
                isMet ? String(format: "×%.2f", exp(evidence.deviation)) : "–",
                String(format: "%.1f", evidence.gain), String(format: "%.1f", evidence.placebo),
            ]
            out += "<tr>" + cells.map { "<td>\($0)</td>" }.joined() + "</tr>\n"
        }
        return out + "</table></div>\n"
    }

    private var made: String {
        var facts: [(String, String)] = []
        if !command.isEmpty { facts.append(("command", command)) }
        if let first = models.first {
            facts.append(("wane", first.description.code))
            facts.append(("made", date))
        }
        for model in models {
            let (d, t) = (model.description, model.description.training)
            let settings = t.settings.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            let words =
                "seed \(t.seed), \(Page.count(model.parameterCount)) weights, best epoch \(d.history.bestEpoch) of "
                + "\(d.history.validationLoss.count), \(Page.count(t.trainQueries)) questions an epoch"
            facts.append((d.family, settings.isEmpty ? words : "\(words); \(settings)"))
        }
        let rows = facts.map { "<tr><td>\(Page.escape($0.0))</td><td class=\"words\">\(Page.escape($0.1))</td></tr>" }
            .joined()
        return "<h2>How this page was made</h2><div class=\"scroll\"><table>\(rows)</table></div>"
    }

    private var verdicts: String {
        func line(_ words: String, _ kind: String) -> String {
            "<p class=\"verdict\(kind)\">\(Page.escape(words))</p>\n"
        }
        func kind(_ difference: Difference) -> String {
            difference.isWin ? "" : difference.isLevel ? " level" : " lost"
        }
        var out = comparison.remarks.map { remark in line(remark.words, remark.about.map(kind) ?? " lost") }.joined()
        if comparison.leaks {
            out +=
                "<p class=\"verdict lost\">The split is random: the future leaks into training, and every figure is too good.</p>"
        }
        if clock == .position {
            out +=
                "<p class=\"verdict lost\">The log has order but no times: the position in each person's history stands in for time.</p>"
        }
        return out
    }

    private var facts: String {
        let times = clock == .wall ? TimeSpan.words(summary.end.time - summary.start.time) : "order only"
        let facts = [
            ("events", Page.count(summary.events)), ("people", Page.count(summary.users)),
            ("items", Page.count(summary.items)),
            ("topics", Page.count(summary.topics)), ("time", times),
            ("horizon", TimeSpan.words(comparison.horizon, clock)),
            ("test queries", Page.count(comparison.testQueries)),
            ("come back", String(format: "%.1f %%", 100 * comparison.baseRate)),
        ]
        let cells = facts.map { "<div><b>\(Page.escape($0.1))</b><span class=\"soft\">\($0.0)</span></div>" }.joined()
        let notes = summary.warnings.map { "<p class=\"soft\">Note: \(Page.escape($0))</p>" }.joined()
        return "<h2>The log</h2><div class=\"facts\">\(cells)</div>\(notes)\n"
    }

    private static let columns: [(heading: String, measure: String)] = [
        ("log loss", "log_loss"), ("ROC-AUC", "roc_auc"), ("PR-AUC", "pr_auc"), ("accuracy", "accuracy"),
        ("precision", "precision"), ("recall", "recall"), ("F1", "f1"), ("ECE", "ece"), ("Brier", "brier"),
        ("MAE", "mae"), ("MSE", "mse"), ("RMSE", "rmse"), ("R2", "r2"),
    ]

    private func number(_ value: Double) -> String { value.isFinite ? String(format: "%.4f", value) : "–" }

    private var table: String {
        let rows = comparison.rows.sorted {
            ($0.isModel ? 0 : 1, $0.report.evaluation.classification.logLoss) < (
                $1.isModel ? 0 : 1, $1.report.evaluation.classification.logLoss
            )
        }
        var out =
            "<h2>Models beside baselines</h2><p class=\"soft\">The same \(Page.count(comparison.testQueries)) test queries of "
        out +=
            "\(Page.count(comparison.people)) people for all; 95 % intervals from resampling people; thresholds, biases of models and levels of baselines from the validation part.</p>"
        out +=
            "<div class=\"scroll\"><table><tr><th></th>" + Self.columns.map { "<th>\($0.heading)</th>" }.joined()
            + "</tr>\n"
        for row in rows {
            let values = Dictionary(uniqueKeysWithValues: row.report.evaluation.measures.map { ($0.name, $0.value) })
            out += "<tr\(row.isModel ? " class=\"model\"" : "")><td>\(Page.escape(row.name))</td>"
            for column in Self.columns {
                let interval = row.report.evaluation.intervals[column.measure].map {
                    String(format: "<br><span class=\"interval\">%.3f–%.3f</span>", $0.low, $0.high)
                }
                out += "<td>\(number(values[column.measure] ?? .nan))\(interval ?? "")</td>"
            }
            out += "</tr>\n"
        }
        return out + "</table></div>\n"
    }

    private var intervals: String {
        IntervalChart(
            title: "Log loss; less is better",
            rows: comparison.rows.map { row in
                let interval = row.report.evaluation.intervals["log_loss"]
                return IntervalChart.Row(
                    name: row.name, value: row.report.evaluation.classification.logLoss, low: interval?.low,
                    high: interval?.high, isStrong: row.isModel)
            }, lowIsBest: true
        ).responsive()
    }

    private var calibration: String {
        let baseline = comparison.verdicts.first?.logLoss.baseline
        let rows = comparison.rows.filter { $0.isModel || $0.name == baseline }
        return rows.map(reliabilityDiagram).joined()
    }

    private func reliabilityDiagram(_ row: Comparison<InterestComparison.Report>.Row) -> String {
        let bins = row.report.reliability
        let counts = bins.map(\.count)
        let (least, most) = (counts.min() ?? 0, counts.max() ?? 0)
        let note =
            "each dot: \(Page.count(least))" + (most > least ? " to \(Page.count(most))" : "") + " questions"
        let observed: [(Double, Double)] = bins.map { ($0.predicted, $0.observed) }
        let chart = LineChart(
            title: row.name, note: note,
            series: [
                LineChart.Series(name: "observed", points: observed, dots: true),
                LineChart.Series(name: "perfect", points: [(0, 0), (1, 1)], dashed: true),
            ], xLabel: "predicted chance", yLabel: "share that came back")
        return chart.responsive()
    }

    private var returnCurve: String {
        guard summary.returnCurve.count > 1 else { return "" }
        let clock = clock
        let points: [(Double, Double)] = summary.returnCurve.map { (log($0.ageSeconds), $0.share) }
        let chart = LineChart(
            title: "Who comes back within \(TimeSpan.words(comparison.horizon, clock))",
            series: [LineChart.Series(name: "all people and topics, as observed", points: points, dots: true)],
            xLabel: "time since the last touch", yLabel: "share", horizontal: .logTimes(clock))
        return chart.responsive()
    }

    /// The curves of the busiest people in their busiest topic, by the first model that has curves.
    private func personCurves() throws -> String {
        guard let model = drawn else { return "" }
        let histories = task.histories
        let busiest = (0..<histories.userCount).sorted { a, b in
            histories.events(ofUser: a).count > histories.events(ofUser: b).count
        }
        var places: [(userTopic: Int, moment: Int64)] = []
        for user in busiest.prefix(3) {
            guard let userTopic = histories.busiestUserTopic(ofUser: user) else { continue }
            places.append(
                (userTopic, histories.time(ofTopicEvent: histories.topicEvents(ofUserTopic: userTopic).upperBound - 1)))
        }
        let queries = task.queries(at: places)
        let curves = try QueryPredictor(model, of: histories).curves(queries)
        return curves.enumerated().map { row, curve in
            let threshold = model.description.threshold
            let span = CurveDrawing.enough(curve, threshold: threshold, span: model.logSpan)
            let touches = histories.topicEvents(ofUserTopic: places[row].userTopic).map {
                Double(queries.moment[row] - histories.time(ofTopicEvent: $0)) / 1e6
            }
            return CurveDrawing(
                user: histories.log.users[Int(queries.user[row])],
                topic: histories.log.topics.names[Int(queries.topic[row])], curve: curve, threshold: threshold,
                ahead: span, clock: clock,
                moment: histories.log.words(
                    queries.moment[row], firstEvent: histories.userStarts[Int(queries.user[row])]),
                touches: touches, halfLife: model.halfLifeWords(curve.halfLife), model: Self.name(model),
                span: model.logSpan
            ).chart().responsive()
        }.joined()
    }

    private var trainingCurves: String {
        models.map { model in
            let history = model.description.history
            func points(_ losses: [Double]) -> [(Double, Double)] {
                losses.enumerated().map { (Double($0.offset + 1), $0.element) }
            }
            return LineChart(
                title: model.description.family,
                series: [
                    .init(name: "training loss", points: points(history.trainLoss)),
                    .init(name: "validation loss", points: points(history.validationLoss)),
                ], xLabel: "epoch", yLabel: "loss", marks: [.init(x: Double(history.bestEpoch), name: "kept")],
                fromZero: false
            ).responsive()
        }.joined()
    }

    private func recoverySection(_ recovery: Recovery) -> String {
        var out = "<h2>Planted half-lives</h2><p>\(Page.escape(recovery.words))</p><div class=\"scroll\"><table>"
        out += "<tr><th>topic</th><th>planted</th><th>recovered</th><th>ratio</th></tr>"
        for row in recovery.topics {
            out += "<tr><td>\(Page.escape(row.topic))</td><td>\(TimeSpan.words(seconds: row.planted))</td>"
            out +=
                "<td>\(TimeSpan.words(seconds: row.recovered))</td><td>\(String(format: "%.2f", row.recovered / row.planted))</td></tr>"
        }
        return out + "</table></div>"
    }
}

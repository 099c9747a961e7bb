import WaneEvents
import WanePrediction
import WaneTasks

/// A table of topics as one HTML file.
public struct TopicsPage {
    let title: String
    let topics: [TopicSummary]
    let clock: EventLog.Clock
    let moment: String
    let horizon: String
    let model: String

    public init(
        title: String, topics: [TopicSummary], clock: EventLog.Clock, moment: String, horizon: String, model: String
    ) {
        self.title = title
        self.topics = topics
        self.clock = clock
        self.moment = moment
        self.horizon = horizon
        self.model = model
    }

    /// A topic as people read it: name, people, half-life, its quartiles, interested now, trend, lapsing.
    public static func cells(_ topic: TopicSummary, _ clock: EventLog.Clock) -> [String] {
        func words(_ seconds: Double) -> String { TimeSpan.words(seconds: seconds, clock) }
        let trend = topic.trendPerPeriod.map { share in
            "\(share >= 0 ? "+" : "")\(Int((share * 100).rounded())) %"
        }
        return [
            topic.topic, "\(topic.people)", words(topic.halfLife),
            "\(words(topic.halfLifeQ1)) to \(words(topic.halfLifeQ3))", "\(topic.interestedNow)", trend ?? "-",
            "\(topic.lapsing)",
        ]
    }

    public func html() -> String {
        var body = "<h1>Topics of \(Page.escape(title))</h1>\n"
        body +=
            "<p class=\"soft\">At \(Page.escape(moment)); model \(Page.escape(model)). Interested: a chance of coming "
        body += "back within \(Page.escape(horizon)) at or above the model's threshold; trend: against one such period "
        body += "before; lapsing: interested now and no more within the next, if nothing happens. The half-life is the "
        body += "median over people who have met the topic.</p>\n<div class=\"scroll\"><table><tr>"
        for heading in ["topic", "people", "half-life", "quartiles", "interested now", "trend", "lapsing"] {
            body += "<th>\(heading)</th>"
        }
        body += "</tr>\n"
        for topic in topics {
            body += "<tr>" + Self.cells(topic, clock).map { "<td>\(Page.escape($0))</td>" }.joined() + "</tr>\n"
        }
        return Page.html(title: "Wane: topics of \(title)", body: body + "</table></div>\n")
    }
}

import WaneBundle
import WaneEvents
import WanePrediction
import WaneTasks

/// A table of topics as one HTML file.
public struct TopicsPage {
    let title: String
    let topics: [TopicSummary]
    let moment: String
    let horizon: String
    let bundle: ModelBundle

    public init(
        title: String, topics: [TopicSummary], moment: String, horizon: String, bundle: ModelBundle
    ) {
        self.title = title
        self.topics = topics
        self.moment = moment
        self.horizon = horizon
        self.bundle = bundle
    }

    /// A topic as people read it: name, people, half-life, between what eight of ten lie, interested now, trend, lapsing.
    public static func cells(_ topic: TopicSummary, _ bundle: ModelBundle) -> [String] {
        let trend = topic.trendPerPeriod.map { share in
            "\(share >= 0 ? "+" : "")\(Int((share * 100).rounded())) %"
        }
        return [
            topic.topic, Page.count(topic.people), bundle.halfLifeWords(topic.halfLife),
            bundle.halfLifeWords(low: topic.halfLifeLow, high: topic.halfLifeHigh),
            Page.count(topic.interestedNow), trend ?? "-",
            Page.count(topic.lapsing),
        ]
    }

    public func html() -> String {
        var body = "<h1>Topics of \(Page.escape(title))</h1>\n"
        body +=
            "<p class=\"soft\">At \(Page.escape(moment)); model \(Page.escape("\(bundle.description.family), seed \(bundle.description.training.seed)")). Interested: a chance of coming "
        body += "back within \(Page.escape(horizon)) at or above the model's threshold; trend: against one such period "
        body += "before; lapsing: interested now and no more within the next, if nothing happens. The half-life is the "
        body +=
            "time from the last touch in which interest falls to half, the person being around: the median over people who "
        body += "have met the topic, and between what eight of ten lie.</p>\n"
        return Page.html(title: "Wane: topics of \(title)", body: body + Self.table(topics, bundle))
    }

    static func table(_ topics: [TopicSummary], _ bundle: ModelBundle) -> String {
        var out = "<div class=\"scroll\"><table><tr>"
        for heading in ["topic", "people", "half-life", "eight of ten", "interested now", "trend", "lapsing"] {
            out += "<th>\(heading)</th>"
        }
        out += "</tr>\n"
        for topic in topics {
            out += "<tr>" + Self.cells(topic, bundle).map { "<td>\(Page.escape($0))</td>" }.joined() + "</tr>\n"
        }
        return out + "</table></div>\n"
    }
}

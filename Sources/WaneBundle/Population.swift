import Foundation
import WaneCurves
import WaneTasks

/// What a model says of people in general, where a person has not met a topic or is not known at all.
public enum Population: Sendable, Equatable {
    /// Of models of interest and of return times: how long people go without a first touch of each topic.
    case firstTouches(FirstTouches)
    /// Of models of the next item: how much each was met, by the model's numbers of items.
    case itemCounts([Float])
}

/// How long people go without touching a topic for the first time, counted from their own first event: Kaplan and Meier's
/// estimate over everybody of the training part, a curve a topic.
public struct FirstTouches: Sendable, Equatable {
    /// `[topic rows + 1, knots]`, row by row: the share that has not touched the topic by each of ``knots``; -1 from where on
    /// nobody was watched. Row 0 is the mean of all topics, for those that the model does not know.
    public let rows: [Float]
    /// Of the degree of a return: the mean over those who come back within the horizon.
    public let degreeOfReturn: Float

    /// Horizons.
    public static let knots: [Double] = (0..<48).map { 1e-3 * pow(10, 6 * Double($0) / 47) }

    public init(rows: [Float], degreeOfReturn: Float) {
        self.rows = rows
        self.degreeOfReturn = degreeOfReturn
    }

    /// - Parameters:
    ///   - trainEnd: until when people are watched; microseconds, as is `horizon`.
    ///   - topicRow: the model's row of each of the log's topics; `topicRows` how many there are beside row 0.
    /// - Complexity: O(user-topics · log user-topics + topics · knots · log users)
    public init(
        _ histories: Histories, trainEnd: Int64, horizon: Int64, topicRow: [Int64], topicRows: Int,
        degreeOfReturn: Float
    ) {
        let log = histories.log
        var watched: [Double] = []
        var touched = [[(time: Double, end: Double)]](repeating: [], count: topicRows + 1)
        for user in 0..<histories.userCount {
            let events = histories.events(ofUser: user)
            guard let first = events.first, log.time[first] < trainEnd else { continue }
            let begin = log.time[first]
            var end = trainEnd
            if log.clock == .position {
                // A person's own clock ends with their history.
                end = log.time[events.upperBound - 1]
            }
            let length = Double(max(0, min(end, trainEnd) - begin)) / Double(horizon)
            watched.append(length)
            for userTopic in histories.userTopics(ofUser: user) {
                let row = Int(topicRow[Int(histories.userTopicTopic[userTopic])])
                let at = histories.time(ofTopicEvent: histories.topicEventStarts[userTopic])
                guard row > 0, at < trainEnd else { continue }
                touched[row].append((Double(at - begin) / Double(horizon), length))
            }
        }
        watched.sort()
        var rows = [Float](repeating: 0, count: Self.knots.count)
        var mean = [Double](repeating: 0, count: Self.knots.count)
        for row in 1..<max(1, topicRows + 1) {
            let own = Self.survival(touched[row].sorted { $0.time < $1.time }, watched)
            for (knot, value) in own.enumerated() { mean[knot] += max(0, value) }
            rows += own.map { Float($0) }
        }
        for knot in mean.indices {
            let isWatched = watched.last.map { $0 >= Self.knots[knot] } ?? false
            rows[knot] = isWatched && topicRows > 0 ? Float(mean[knot] / Double(topicRows)) : -1
        }
        self.init(rows: rows, degreeOfReturn: degreeOfReturn)
    }

    /// - Parameters:
    ///   - touched: of those who touch the topic, when and until when they are watched, by the former.
    ///   - watched: until when everybody is watched, in order.
    private static func survival(_ touched: [(time: Double, end: Double)], _ watched: [Double]) -> [Double] {
        var survival = 1.0
        var result: [Double] = []
        var next = 0
        // Those who touched it are at risk until they did; the others until they are watched no more.
        let ends = touched.map(\.end).sorted()
        for knot in knots {
            while next < touched.count, touched[next].time <= knot {
                let time = touched[next].time
                var events = 0
                let before = next
                while next < touched.count, touched[next].time == time {
                    events += 1
                    next += 1
                }
                let leftBefore = watched.partitioningIndex { $0 >= time }
                let touchersLeft = ends.partitioningIndex { $0 >= time }
                // Touchers before now who are still watched are at risk no more.
                let atRisk = watched.count - leftBefore - (before - touchersLeft)
                survival *= 1 - Double(events) / Double(max(events, atRisk))
            }
            result.append((watched.last ?? 0) >= knot ? survival : -1)
        }
        return result
    }

    /// The share of a topic's row that has not touched it by a time in horizons, and whether so long was watched.
    private func share(_ time: Double, row: Int) -> (value: Double, isWatched: Bool) {
        let count = Self.knots.count
        let own = rows[row * count..<(row + 1) * count]
        func value(_ knot: Int) -> Double { Double(own[own.startIndex + knot]) }
        guard time > Self.knots[0] else { return (time <= 0 ? 1 : max(0, value(0)), value(0) >= 0) }
        let next = Self.knots.partitioningIndex { $0 >= time }
        guard next < count, value(next) >= 0 else {
            let last = (0..<count).last { value($0) >= 0 }
            return (last.map(value) ?? 1, false)
        }
        let (low, high) = (value(next - 1), value(next))
        let part = log(time / Self.knots[next - 1]) / log(Self.knots[next] / Self.knots[next - 1])
        return (low + (high - low) * part, true)
    }

    private func row(_ topicRow: Int) -> Int { max(0, min(topicRow, rows.count / Self.knots.count - 1)) }

    /// The chance of a first touch within a span for somebody who has had none for so long since their first event; what was
    /// watched last where nobody was watched that long.
    ///
    /// - Parameters:
    ///   - elapsed, span: horizons; `elapsed` is 0 for somebody who begins now.
    public func chance(topicRow: Int, elapsed: Double, within span: Double) -> Double {
        let row = row(topicRow)
        let watched = Self.knots.indices.last { rows[row * Self.knots.count + $0] >= 0 }.map { Self.knots[$0] } ?? 0
        let elapsed = max(0, min(elapsed, watched - span))
        let now = elapsed > 0 ? share(elapsed, row: row).value : 1
        guard now > 0 else { return 0 }
        return min(1, max(0, 1 - share(elapsed + span, row: row).value / now))
    }

    /// By when a share of such people has touched it: horizons from now; nothing where so many were not seen to.
    public func time(_ share: Double, topicRow: Int, elapsed: Double) -> Double? {
        let row = row(topicRow)
        let now = elapsed > 0 ? self.share(elapsed, row: row) : (value: 1, isWatched: true)
        guard now.isWatched, now.value > 0 else { return nil }
        let goal = (1 - share) * now.value
        func isThere(_ time: Double) -> Bool {
            let (value, isWatched) = self.share(elapsed + time, row: row)
            return isWatched && value <= goal
        }
        guard let knot = Self.knots.first(where: { $0 > elapsed && isThere($0 - elapsed) }) else { return nil }
        var (low, high) = (0.0, knot - elapsed)
        for _ in 0..<50 {
            let middle = (low + high) / 2
            if isThere(middle) { high = middle } else { low = middle }
        }
        return high
    }

    /// The same as a curve: the chance of a first touch within the horizon, now and while nothing happens.
    ///
    /// - Parameters:
    ///   - elapsed: seconds since the person's first event, 0 for somebody who begins now; `horizon` in seconds.
    public func curve(topicRow: Int, elapsed: Double, horizon: Double) -> InterestCurve {
        let begun = elapsed / horizon
        let now = chance(topicRow: topicRow, elapsed: begun, within: 1)
        let later = chance(topicRow: topicRow, elapsed: begun + 4, within: 1)
        return InterestCurve(
            chance: now, later: later, after: 4 * horizon, degree: now * Double(degreeOfReturn), horizon: horizon)
    }
}

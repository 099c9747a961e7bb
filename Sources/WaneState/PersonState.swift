import WaneCurves
import WaneEvents

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What is known of a person, as one value; ``apply(_:topics:)`` moves it on by an event, in constant time and
/// without a look at anything that came before.
///
/// Training folds each person's events through it, a server applies events as they come, and a person asked about
/// for the first time is folded from their stored events: one path, so that what a model meets in use is what it was
/// trained on. About 200 bytes a topic met, and 16 bytes for each event of the window that encoders read.
public struct PersonState: Sendable {
    public let schema: StateSchema
    /// Events so far.
    public private(set) var eventCount = 0
    /// Microseconds; of no meaning before the first event.
    public private(set) var firstTime: Int64 = 0
    public private(set) var lastTime: Int64 = 0
    private var visits: UInt32 = 0
    private var counts = DecayedCounts()
    private var engagements = LastTen()
    /// States of topics in the order in which they were met, and the place of each among them.
    public private(set) var topics: [TopicState] = []
    private var placeOfTopic: [UInt32: Int] = [:]
    /// The last events, one more than encoders read, as a ring that begins at `windowStart`.
    private var ring: [StateEvent] = []
    private var ringStart = 0
    /// What moves the person's half-lives, where the schema has causes measured.
    public private(set) var causes: CauseState?
    private let keepsGaps: Bool
    /// How often the person came back to each topic, where the schema follows it.
    private var rates = PairRates()
    /// Events in each hour of the day, where the schema follows them.
    private var hours: [Float] = []

    /// - Parameter keepsGaps: what moves half-lives is kept to be found later, for all events at once.
    public init(_ schema: StateSchema, keepsGaps: Bool = false) {
        (self.schema, self.keepsGaps) = (schema, keepsGaps)
        causes = schema.causes.map { CauseState($0, keepsOnly: keepsGaps) }
        if schema.hours != nil { hours = Array(repeating: 0, count: 24) }
        if schema.windowLength > 0 { ring.reserveCapacity(schema.windowLength + 1) }
    }

    /// Forgets everything but the schema; keeps the memory for the next person.
    public mutating func reset() {
        eventCount = 0
        visits = 0
        counts = DecayedCounts()
        engagements = LastTen()
        topics.removeAll(keepingCapacity: true)
        placeOfTopic.removeAll(keepingCapacity: true)
        ring.removeAll(keepingCapacity: true)
        ringStart = 0
        for hour in hours.indices { hours[hour] = 0 }
        rates.removeAll()
        causes = schema.causes.map { CauseState($0, keepsOnly: keepsGaps) }
    }

    /// One more event.
    ///
    /// - Parameters:
    ///   - event: not before the last one; one that is counts as at the last one's moment.
    ///   - topics: the topics of its item, each once.
    ///   - social: what the person's friends do with a topic at this moment, where they are known: see
    ///     ``CauseMeasures``.
    /// - Complexity: O(1) for each topic; a microsecond or two, some ten where causes are measured.
    public mutating func apply(
        _ event: StateEvent, topics touched: ArraySlice<UInt32>, social: (UInt32) -> Float = { _ in 0 }
    ) {
        let first = eventCount == 0
        let time = first ? event.time : max(event.time, lastTime)
        let pause = schema.visitPause
        let gap = first ? 0 : time - lastTime
        if first { firstTime = time }
        let fade = HorizonFade(gap, schema.horizon)
        counts.add(fade)
        engagements.append(event.engagement)
        if first || gap > pause { visits &+= 1 }
        if !hours.isEmpty { hours[DailyRhythm.hour(of: time)] += 1 }
        eventCount += 1
        lastTime = time
        let rhythm = schema.rates == nil ? nil : rhythm
        for topic in touched {
            if let place = placeOfTopic[topic] {
                if let known = schema.rates, time - topics[place].lastTime > pause {
                    rates.come(
                        place, topic, after: Self.length(from: topics[place].lastTime, to: time, rhythm),
                        engagement: topics[place].lastEngagement, known)
                }
                topics[place].touch(time, event.engagement, event: eventCount, pause, schema.horizon)
            } else {
                placeOfTopic[topic] = topics.count
                topics.append(TopicState(topic, time, event.engagement, event: eventCount))
                if schema.rates != nil { rates.meet() }
            }
        }
        if schema.causes != nil {
            let places = touched.map { (topic: $0, place: placeOfTopic[$0] ?? 0) }
            causes?.apply(at: time, places, pause: pause, social: social)
        }
        guard schema.windowLength > 0 else { return }
        let kept = StateEvent(time: time, item: event.item, engagement: event.engagement)
        if ring.count <= schema.windowLength {
            ring.append(kept)
        } else {
            ring[ringStart] = kept
            ringStart = ringStart == schema.windowLength ? 0 : ringStart + 1
        }
    }

    /// Something the person was shown, and may have done nothing with: it moves what wears interest out, and nothing else.
    ///
    /// - Parameters:
    ///   - time: microseconds; not before the last event, nor after the next. What is shown at an event's moment comes before it.
    ///   - topics: the topics of what was shown.
    public mutating func show(at time: Int64, topics: ArraySlice<UInt32>) {
        causes?.show(at: time, topics: topics)
    }

    /// When the person is about, as far as their events show it; nothing where hours are not followed.
    public var rhythm: DailyRhythm? { schema.hours.map { DailyRhythm(hours, general: $0) } }

    /// Seconds that count for the person between two moments, in microseconds.
    private static func length(from start: Int64, to end: Int64, _ rhythm: DailyRhythm?) -> Double {
        let (start, end) = (Double(start) / 1e6, Double(end) / 1e6)
        return rhythm?.length(from: start, to: end) ?? end - start
    }

    /// How often the person comes back to a topic, against its own rate, as of their last touch of it: the logarithm of the mean that Bayes's
    /// rule leaves (docs/maths.md). Nothing where that is not followed, or the topic has not been met.
    public func rate(of topic: UInt32) -> Double? {
        guard let known = schema.rates, let place = placeOfTopic[topic] else { return nil }
        return rates.rate(place, topic, known)
    }

    /// How often the person came back to a topic in another visit, and the integral of its decaying rate, without `λ0`, over the silences
    /// between.
    public func returns(to topic: UInt32) -> (count: Int, waited: Double)? {
        guard schema.rates != nil, let place = placeOfTopic[topic] else { return nil }
        let counts = rates.counts(place)
        return (counts.returns, counts.waited)
    }

    /// What causes do to the half-life of a topic since its last touch; nothing where they are not measured, or the topic has
    /// not been met.
    ///
    /// - Parameter sensitivity: ``CauseState/sensitivity``, where several topics of one state are asked about.
    public func effects(of topic: UInt32, _ sensitivity: CauseState.Sensitivity? = nil) -> CauseEffects? {
        guard let causes, let place = placeOfTopic[topic] else { return nil }
        return causes.effects(ofPlace: place, sensitivity ?? causes.sensitivity)
    }

    /// The same person had a circumstance been another at the last touch of a topic: for questions that begin with what if.
    public func supposing(_ cause: Cause, _ value: Float, of topic: UInt32) -> PersonState {
        var other = self
        if let place = placeOfTopic[topic] { other.causes?.suppose(cause, value, ofPlace: place) }
        return other
    }

    /// The person's circumstances at the last touch of a topic.
    public func measures(of topic: UInt32) -> CauseMeasures? {
        placeOfTopic[topic].flatMap { causes?.measures(ofPlace: $0) }
    }

    /// The state of a topic, where the person has met it.
    public func topic(_ topic: UInt32) -> TopicState? { placeOfTopic[topic].map { topics[$0] } }

    /// How many of the last events can be read: one more than the schema's window, or all there were.
    public var windowCount: Int { ring.count }

    /// An event of the window, oldest first.
    public func windowEvent(_ index: Int) -> StateEvent {
        let place = ringStart + index
        return ring[place < ring.count ? place : place - ring.count]
    }

    /// Bytes that the state holds; it does not grow with the events of a person, only with the topics they meet, and with the
    /// last hundreds of gaps between touches where causes are measured.
    public var byteCount: Int {
        MemoryLayout<PersonState>.size + topics.count * (MemoryLayout<TopicState>.stride + 24)
            + ring.count * MemoryLayout<StateEvent>.stride + hours.count * 4 + rates.byteCount
            + (causes?.byteCount ?? 0)
    }
}

/// One event as a state takes it.
public struct StateEvent: Sendable, Equatable {
    /// Microseconds.
    public let time: Int64
    /// The item's number, in whatever vocabulary the owner of the state has.
    public let item: UInt32
    /// In `(0, 1]`.
    public let engagement: Float

    public init(time: Int64, item: UInt32, engagement: Float) {
        self.time = time
        self.item = item
        self.engagement = engagement
    }
}

/// What is known of a person and one topic.
public struct TopicState: Sendable {
    public let topic: UInt32
    /// Microseconds.
    public let firstTime: Int64
    public private(set) var lastTime: Int64
    public private(set) var touches: UInt32 = 1
    fileprivate var visits: UInt32 = 1
    /// The number of the person's event, from one, that touched it last, and how many in a row did so by then.
    fileprivate var lastEvent: Int
    fileprivate var run: UInt32 = 1
    fileprivate var counts = DecayedCounts()
    /// Engagement that halves every half horizon, as of the last touch.
    fileprivate var recentEngagement: Double
    fileprivate var engagements = LastTen()
    /// Seconds between touches.
    fileprivate var intervals = LastTen()

    /// Engagement of the last touch.
    public var lastEngagement: Float { engagements.last }

    fileprivate init(_ topic: UInt32, _ time: Int64, _ engagement: Float, event: Int) {
        self.topic = topic
        firstTime = time
        lastTime = time
        lastEvent = event
        recentEngagement = Double(engagement)
        counts.add(HorizonFade(0, 1))
        engagements.append(engagement)
    }

    fileprivate mutating func touch(
        _ time: Int64, _ engagement: Float, event: Int, _ pause: Int64, _ horizon: Int64
    ) {
        let gap = time - lastTime
        let fade = HorizonFade(gap, horizon)
        counts.add(fade)
        recentEngagement = recentEngagement * fade.halfHorizon + Double(engagement)
        engagements.append(engagement)
        intervals.append(Float(Double(gap) / 1e6))
        if gap > pause { visits &+= 1 }
        run = lastEvent == event - 1 ? run &+ 1 : 1
        lastEvent = event
        touches &+= 1
        lastTime = time
    }
}

/// What is left, after a time, of counts that halve every 1/16, 1/4, 1, 4 and 16 horizons.
///
/// One exponential: the half-lives are powers of four apart, so each share is the fourth power of the one before.
struct HorizonFade {
    let shares: (Double, Double, Double, Double, Double)

    @inline(__always)
    init(_ gap: Int64, _ horizon: Int64) {
        let longest = exp2(-Double(gap) / Double(horizon) / 16)
        func fourth(_ x: Double) -> Double {
            let square = x * x
            return square * square
        }
        let d = fourth(longest), c = fourth(d), b = fourth(c), a = fourth(b)
        shares = (a, b, c, d, longest)
    }

    /// What is left of a count that halves every half horizon.
    var halfHorizon: Double { shares.2 * shares.2 }
}

/// Counts of events, each halving in a time of its own; as of the last event.
struct DecayedCounts: Sendable {
    private var values: (Double, Double, Double, Double, Double) = (0, 0, 0, 0, 0)

    /// One more event, `fade` after the one before.
    @inline(__always)
    mutating func add(_ fade: HorizonFade) {
        values.0 = values.0 * fade.shares.0 + 1
        values.1 = values.1 * fade.shares.1 + 1
        values.2 = values.2 * fade.shares.2 + 1
        values.3 = values.3 * fade.shares.3 + 1
        values.4 = values.4 * fade.shares.4 + 1
    }

    /// `log(1 + count)` of each after a time, from the shortest half-life to the longest.
    @inline(__always)
    func write(_ fade: HorizonFade, _ put: (Float) -> Void) {
        put(log1pf(Float(values.0 * fade.shares.0)))
        put(log1pf(Float(values.1 * fade.shares.1)))
        put(log1pf(Float(values.2 * fade.shares.2)))
        put(log1pf(Float(values.3 * fade.shares.3)))
        put(log1pf(Float(values.4 * fade.shares.4)))
    }
}

/// The last ten numbers of a sequence.
struct LastTen: Sendable {
    private var values: (Float, Float, Float, Float, Float, Float, Float, Float, Float, Float) =
        (0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    private var next: UInt8 = 0
    private(set) var count: UInt8 = 0

    @inline(__always)
    mutating func append(_ value: Float) {
        let place = Int(next)
        withUnsafeMutableBytes(of: &values) { $0.storeBytes(of: value, toByteOffset: place * 4, as: Float.self) }
        next = next == 9 ? 0 : next + 1
        if count < 10 { count += 1 }
    }

    /// The number appended last; 0 before the first.
    var last: Float {
        let place = next == 0 ? 9 : Int(next) - 1
        return withUnsafeBytes(of: values) { $0.load(fromByteOffset: place * 4, as: Float.self) }
    }

    /// The numbers, oldest first, as the places of a buffer.
    @inline(__always)
    func read<Result>(_ body: (UnsafeMutableBufferPointer<Float>) -> Result) -> Result {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 10) { buffer in
            let start = count < 10 ? 0 : Int(next)
            withUnsafeBytes(of: values) { bytes in
                for index in 0..<Int(count) {
                    let place = start + index
                    buffer[index] = bytes.load(fromByteOffset: (place < 10 ? place : place - 10) * 4, as: Float.self)
                }
            }
            return body(UnsafeMutableBufferPointer(rebasing: buffer[0..<Int(count)]))
        }
    }

    var mean: Float { read { $0.isEmpty ? 0 : $0.reduce(0, +) / Float($0.count) } }
}

// MARK: Features

extension PersonState {
    /// The logarithm of a length of time as a share of the horizon, with a floor near zero.
    @inline(__always)
    private func logTime(_ seconds: Double) -> Float {
        Float(log(max(0, seconds) / (Double(schema.horizon) / 1e6) + 1e-5))
    }

    @inline(__always)
    private func seconds(_ span: Int64) -> Double { Double(span) / 1e6 }

    /// The features of a topic as they stand after the last event: ``FeatureSchema/lastEventCount`` numbers.
    ///
    /// - Parameters:
    ///   - topic: the state of a topic of this person.
    ///   - popularity: what is known of everybody.
    ///   - features: room for all of them.
    public func writeFeatures(
        of topic: TopicState, popularity: Popularity, to features: UnsafeMutablePointer<Float>
    ) {
        var index = 0
        func put(_ value: Float) {
            features[index] = value
            index += 1
        }
        let stale = lastTime - topic.lastTime
        put(logTime(seconds(stale)))
        put(log1pf(Float(topic.touches)))
        put(log1pf(Float(eventCount)))
        put(Float(topic.touches) / Float(max(1, eventCount)))
        put(logTime(seconds(lastTime - firstTime)))
        put(logTime(seconds(lastTime - topic.firstTime)))
        topic.intervals.read { intervals in
            guard !intervals.isEmpty else {
                for _ in 0..<4 { put(0) }
                return
            }
            let count = Double(intervals.count)
            let mean = intervals.reduce(0) { $0 + Double($1) } / count
            let square = intervals.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
            var sorted = intervals
            sorted.sort()
            let middle = sorted.count / 2
            let median =
                sorted.count % 2 == 1
                ? Double(sorted[middle]) : (Double(sorted[middle]) + Double(sorted[middle - 1])) / 2
            put(logTime(mean))
            put(logTime((square / count).squareRoot()))
            put(logTime(median))
            put(Float(intervals.count) / 10)
        }
        put(log1pf(Float(visits)))
        put(log1pf(Float(topic.visits)))
        topic.counts.write(HorizonFade(stale, schema.horizon), put)
        counts.write(HorizonFade(0, schema.horizon), put)
        if schema.clock == .wall {
            let (all, lately) = popularity.logShares(of: topic.topic)
            put(all)
            put(lately)
        } else {
            put(0)
            put(0)
        }
        calendar(lastTime, put)
        put(topic.engagements.mean)
        put(topic.engagements.last)
        put(engagements.mean)
        put(log1pf(Float(topics.count)))
        put(recentDegree(of: topic, at: lastTime))
        // How many of the person's latest events were on this topic without a break.
        put(log1pf(topic.lastEvent == eventCount ? Float(min(20, topic.run)) : 0))
    }

    /// The same quantities at a later moment: ``FeatureSchema/queryTimeCount`` numbers.
    ///
    /// - Parameter moment: microseconds; not before the last event.
    public func writeFeatures(
        of topic: TopicState, at moment: Int64, to features: UnsafeMutablePointer<Float>
    ) {
        var index = 0
        func put(_ value: Float) {
            features[index] = value
            index += 1
        }
        let elapsed = max(0, moment - topic.lastTime)
        let elapsedSinceEvent = max(0, moment - lastTime)
        put(logTime(seconds(elapsed)))
        put(logTime(seconds(elapsedSinceEvent)))
        put(
            topic.intervals.read { intervals in
                guard !intervals.isEmpty else { return 0 }
                let mean = intervals.reduce(0) { $0 + Double($1) } / Double(intervals.count)
                return Float(log((seconds(elapsed) + 1) / (mean + 1)))
            })
        topic.counts.write(HorizonFade(elapsed, schema.horizon), put)
        counts.write(HorizonFade(elapsedSinceEvent, schema.horizon), put)
        calendar(moment, put)
        put(recentDegree(of: topic, at: moment))
        put(Float(min(50, Double(elapsed) / Double(schema.horizon))))
    }

    /// Hour of the day and day of the week on circles; zeros where positions stand in for times.
    @inline(__always)
    private func calendar(_ time: Int64, _ put: (Float) -> Void) {
        guard schema.clock == .wall else {
            for _ in 0..<4 { put(0) }
            return
        }
        let (hour, weekday) = Rhythm.angles(time)
        put(sinf(hour))
        put(cosf(hour))
        put(sinf(weekday))
        put(cosf(weekday))
    }

    /// The interest degree of the engagement so far, which halves every half horizon.
    @inline(__always)
    private func recentDegree(of topic: TopicState, at moment: Int64) -> Float {
        let left = topic.recentEngagement * HorizonFade(moment - topic.lastTime, schema.horizon).halfHorizon
        return Float(left / (left + schema.typicalEngagement))
    }
}

/// Hours and weekdays as angles.
public enum Rhythm {
    /// Radians of the day and of the week that have passed at a moment, in microseconds.
    public static func angles(_ time: Int64) -> (hour: Float, weekday: Float) {
        func angle(_ period: Int64) -> Float {
            let rest = time % period
            return Float(Double(rest < 0 ? rest + period : rest) / Double(period) * 2 * .pi)
        }
        return (angle(86_400 * EventLog.second), angle(7 * 86_400 * EventLog.second))
    }
}

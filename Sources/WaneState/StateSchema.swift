import WaneEvents

/// What a ``PersonState`` has to know beside a person's events: the same for all people of a model.
public struct StateSchema: Sendable, Equatable {
    /// Microseconds.
    public let horizon: Int64
    /// What stands for time.
    public let clock: EventLog.Clock
    /// `m` of the interest degree: engagement over a horizon at a typical return.
    public let typicalEngagement: Double
    /// How many of the last events are kept for encoders that read them; 0 for models that do not.
    public private(set) var windowLength: Int
    /// What causes are measured with, where a model tells them apart; topics by the numbers that states have.
    public private(set) var causes: CauseSchema?
    /// How often topics are touched again, where it is followed how often each person does; topics by the numbers that states have.
    public private(set) var rates: RateSchema?
    /// Everybody's shares of the 24 hours of a day, where people's own hours are followed: 24 numbers.
    public private(set) var hours: [Double]?

    public init(
        horizon: Int64, clock: EventLog.Clock, typicalEngagement: Double, windowLength: Int = 0,
        causes: CauseSchema? = nil
    ) {
        self.causes = causes
        self.horizon = horizon
        self.clock = clock
        self.typicalEngagement = typicalEngagement
        self.windowLength = windowLength
    }

    /// The same for an encoder that reads the last `windowLength` events.
    public func keeping(_ windowLength: Int) -> StateSchema {
        var other = self
        other.windowLength = windowLength
        return other
    }

    /// The same with people's hours followed, which begin as everybody's; nothing for logs that have none.
    public func following(_ hours: [Double]?) -> StateSchema {
        var other = self
        other.hours = hours?.count == 24 ? hours : nil
        return other
    }

    /// The same with pairs' rates followed.
    public func rating(_ rates: RateSchema?) -> StateSchema {
        var other = self
        other.rates = rates
        return other
    }

    /// The same with causes measured.
    public func measuring(_ causes: CauseSchema?) -> StateSchema {
        var other = self
        other.causes = causes
        return other
    }

    /// Microseconds between events beyond which a new visit begins: half an hour, or a position.
    public static func visitPause(_ clock: EventLog.Clock) -> Int64 {
        clock == .wall ? 1_800 * EventLog.second : EventLog.second
    }

    public var visitPause: Int64 { Self.visitPause(clock) }
}

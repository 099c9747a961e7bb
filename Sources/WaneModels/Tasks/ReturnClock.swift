import WaneCurves

/// How much of the time after a touch counts: a person comes back in the hours in which they are about.
///
///     u(t) = (1 - a) t + a (own hours passed in t),   f(t) = f_u(u(t)) u'(t)
///
/// Times in horizons; `a` is the model's. Within a visit, up to the pause that would end it, all time counts: nobody sleeps there.
public struct ReturnClock: Sendable {
    /// When the person is about; nothing where that is not followed, and all time counts.
    let rhythm: DailyRhythm?
    /// Seconds: when the topic was last touched, and the horizon.
    let touch: Double
    let horizon: Double
    /// The pause that ends a visit, in horizons.
    let pause: Double

    public init(_ rhythm: DailyRhythm?, touch: Double, horizon: Double, pause: Double) {
        (self.rhythm, self.touch, self.horizon, self.pause) = (rhythm, touch, horizon, pause)
    }

    /// Own hours passed in a time.
    func own(_ time: Double) -> Double {
        guard let rhythm, time > pause else { return time }
        return pause + rhythm.length(from: touch + pause * horizon, to: touch + time * horizon) / horizon
    }

    /// How fast they pass then: 1 on average over a day.
    func speed(_ time: Double) -> Double {
        guard let rhythm, time > pause else { return 1 }
        return rhythm.speed(touch + time * horizon)
    }

    /// `u(t)`.
    func counted(_ time: Double, _ share: Double) -> Double { time + share * (own(time) - time) }

    /// The time at which `u` has passed: own hours are less than a day off.
    func time(_ counted: Double, _ share: Double) -> Double {
        guard rhythm != nil else { return counted }
        var low = max(0, counted - 86_400 / horizon)
        var high = counted + 86_400 / horizon
        for _ in 0..<40 {
            let middle = (low + high) / 2
            if self.counted(middle, share) < counted { low = middle } else { high = middle }
        }
        return high
    }
}

import Foundation
import WaneEvents

/// Round places on an axis, few enough to be read.
struct Axis {
    let ticks: [(value: Double, label: String)]

    /// Round numbers between `low` and `high`, both included; where `covering`, the first and the last lie outside of the values.
    static func numbers(_ low: Double, _ high: Double, count: Int = 4, covering: Bool = false) -> Axis {
        let step = roundStep(high - low, count)
        let (first, last) =
            covering
            ? ((low / step + 1e-9).rounded(.down), (high / step - 1e-9).rounded(.up))
            : ((low / step - 1e-9).rounded(.up), (high / step + 1e-9).rounded(.down))
        return Axis(
            ticks: stride(from: first, through: max(last, first + (covering ? 1 : 0)), by: 1).map {
                ($0 * step, LineChart.short($0 * step))
            })
    }

    /// Round times, the values being seconds.
    static func times(_ low: Double, _ high: Double, _ clock: EventLog.Clock, count: Int = 4) -> Axis {
        guard clock == .wall, high - low >= 4 else {
            return Axis(ticks: numbers(low, high, count: count).ticks.map { ($0.value, label($0.value, clock)) })
        }
        let rough = (high - low) / Double(count)
        let (minute, hour, day, year) = (60.0, 3_600.0, 86_400.0, 31_557_600.0)
        let steps =
            [1, 2, 5, 10, 30].map { $0 } + [1, 2, 5, 10, 30].map { $0 * minute } + [1, 2, 3, 6, 12].map { $0 * hour }
            + [1, 2, 5, 7, 14, 30, 60, 90, 180].map { $0 * day }
        let step = steps.first { $0 >= rough * 0.8 } ?? roundStep((high - low) / year, count) * year
        let first = (low / step - 1e-9).rounded(.up)
        let last = (high / step + 1e-9).rounded(.down)
        return Axis(
            ticks: stride(from: first, through: last, by: 1).map { ($0 * step, label($0 * step, clock)) })
    }

    /// Round times, the values being natural logarithms of seconds.
    static func logTimes(_ low: Double, _ high: Double, _ clock: EventLog.Clock, count: Int = 6) -> Axis {
        let all: [Double] =
            clock == .wall
            ? [
                1, 10, 60, 600, 3_600, 21_600, 86_400, 604_800, 2_592_000, 31_557_600, 315_576_000,
            ] : (0..<12).map { pow(10, Double($0)) }
        let inside = all.filter { log($0) >= low - 1e-9 && log($0) <= high + 1e-9 }
        let every = max(1, (inside.count + count - 1) / count)
        return Axis(
            ticks: inside.enumerated().filter { $0.offset % every == 0 }.map {
                (log($0.element), label($0.element, clock))
            })
    }

    private static func label(_ seconds: Double, _ clock: EventLog.Clock) -> String {
        seconds == 0 ? "0" : TimeSpan.words(seconds: seconds, clock)
    }

    private static func roundStep(_ span: Double, _ count: Int) -> Double {
        let rough = span / Double(max(1, count))
        let power = pow(10, log10(max(rough, 1e-12)).rounded(.down))
        return [1, 2, 2.5, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? power
    }
}

import Foundation
import TestSupport
import Testing
import WaneCurves

@testable import WaneReport

@Suite("Charts")
struct ChartTests {
    @Test("ticks are round, lie within the axis, and are few", arguments: [0.7, 40, 3_000, 90_000, 1.2e6, 4e7, 9e8])
    func timeTicks(span: Double) {
        for low in [0, -span / 4] {
            let ticks = Axis.times(low, span, .wall).ticks
            #expect((2...9).contains(ticks.count), "\(span): \(ticks)")
            #expect(ticks.allSatisfy { $0.value >= low - 1e-9 && $0.value <= span + 1e-9 })
            // "1.2 d" is not round: no label has a fraction, but of years and of less than a second.
            if span > 10, span < 1e8 {
                #expect(ticks.allSatisfy { !$0.label.contains(".") || $0.label.contains(".5") })
            }
        }
    }

    @Test(
        "a curve is drawn from the last touch on, its half-life on it at half its height, and its lapse on the chance")
    func curve() throws {
        // An hour's silence so far; a chance that passes the level some time later.
        var parameters = [Float](repeating: 0, count: InterestCurve.Parameter.allCases.count)
        parameters[InterestCurve.Parameter.timeScale.rawValue] = -1
        parameters[InterestCurve.Parameter.rate.rawValue] = 1
        let curve = InterestCurve(
            parameters, elapsedSinceTopic: 3_600, elapsedSinceEvent: 600, horizon: 604_800, visitPause: 1_800,
            topicSpread: 0.3)
        let halfLife = try #require(curve.halfLife)
        let level = 0.3
        let ahead = CurveDrawing.enough(curve, threshold: level, span: 1e8)
        let chart = CurveDrawing(
            user: "u", topic: "t", curve: curve, threshold: level, ahead: ahead, clock: .wall, moment: "then",
            touches: [3_600, 20_000, 9e9], halfLife: "some", model: "mlp, seed 7", span: 1e8
        ).chart()
        #expect(chart.series[0].points.first?.x == 0 && abs((chart.series[0].points.first?.y ?? 0) - 1) < 1e-9)
        #expect(chart.series[1].points.first?.x == 3_600)
        let mark = try #require(chart.marks.first { $0.name.contains("half-life") })
        #expect(mark.x == halfLife)
        #expect(abs((mark.y ?? 0) - 0.5) < 0.01)
        let lapse = try #require(chart.marks.first { $0.name.contains("lapse, ") })
        #expect(abs((lapse.y ?? 0) - level) < 1e-6)
        // The last touch itself and the one before; the third lies far outside.
        #expect(chart.events == [0, 3_600 - 20_000])
        for size in [ChartSize.wide, .narrow] {
            let svg = chart.svg(size)
            // On its own it brings its paper: words are light where the reader's screen is dark.
            let paper = "<rect class=\"paper\" width=\"100%\" height=\"100%\"/>"
            #expect(chart.svg(size, standalone: true).contains(paper) && !svg.contains(paper))
            #expect(svg.contains("mlp, seed 7") && svg.contains("half-life some"))
            #expect(!svg.contains("NaN") && !svg.contains("nan") && !svg.contains("inf"))
        }
    }

    @Test("counts have their thousands apart")
    func counts() {
        #expect([0, 999, 1_000, 1_234_567, -45_678].map(Page.count) == ["0", "999", "1,000", "1,234,567", "-45,678"])
    }
}

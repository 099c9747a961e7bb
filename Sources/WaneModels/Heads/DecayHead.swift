import Torch
import WaneCurves

/// From what is known of a query to its interest curve.
///
/// Two elapsed times run while nothing happens: `g` since the last touch of the topic and `v` since the person's last
/// event. What is retained of interest is
///
///     retention(d; τ, p) = 1 / (1 + (d / τ)^p)
///     I = a (f + (1 - f) · retention(g; τ, p) · (k retention(v; ν, q) + (1 - k) retention(v; υ, s)))
///
/// with amplitude `a`, floor share `f`, the topic's half-life `τ` and shape `p`, and for the person the share `k` of a
/// visit that ends soon (`ν`, `q`) beside the habit of coming at all (`υ`, `s`). It is taken once for the chance of
/// coming back within the horizon and once, with its own `a` and `f`, for the interest degree. Inputs do not change
/// while nothing happens, so the curve seen from any later moment is the same curve.
public struct DecayHead: Module {
    let layers: HiddenLayers
    let output: Linear

    typealias Column = InterestCurve.Parameter

    init(inputs: Int, _ options: ModelOptions) throws(TorchError) {
        layers = try HiddenLayers(inputs: inputs, options)
        output = try Linear(options.headWidth, Column.allCases.count)
    }

    /// The parameters of curves, before what makes logits shares and logarithms times: `x`: `[Q, D]`; returns
    /// `[Q, 11]`.
    func curveParameters(_ x: Tensor, training: Bool) throws(TorchError) -> Tensor {
        try output(layers(x, training: training))
    }

    /// The curves at the queries' elapsed times, each `[Q]`.
    ///
    /// - Parameters:
    ///   - curveParameters: `[Q, 11]`.
    ///   - logElapsedSinceTopic, logElapsedSinceEvent: `[Q]`, logarithms of horizons.
    static func values(
        _ curveParameters: Tensor, logElapsedSinceTopic: Tensor, logElapsedSinceEvent: Tensor
    ) throws(TorchError) -> (returnProbability: Tensor, degree: Tensor) {
        let c = try curveParameters.unbound(1)
        func column(_ column: Column) -> Tensor { c[column.rawValue] }
        // 1 / (1 + (d / τ)^p) = sigmoid(p (log τ - log d))
        func retention(_ halfLife: Column, _ shape: Column, _ logTime: Tensor) throws(TorchError) -> Tensor {
            let p = try column(shape).softplus() + InterestCurve.smallestShape
            return try (p * (column(halfLife) - logTime)).sigmoid()
        }
        let topic = try retention(.halfLife, .shape, logElapsedSinceTopic)
        let habit = try retention(
            .habitHalfLife, .habitShape, logElapsedSinceEvent - InterestCurve.startingHabitHalfLife)
        let visit = try retention(
            .visitHalfLife, .visitShape, logElapsedSinceEvent - InterestCurve.startingVisitHalfLife)
        let share = try (column(.visitShare) + InterestCurve.startingVisitShare).sigmoid()
        let decaying = try topic * (habit + share * (visit - habit))
        func curve(_ amplitude: Column, _ floor: Column) throws(TorchError) -> Tensor {
            let f = try (column(floor) + InterestCurve.startingFloor).sigmoid()
            let one = try f * -1 + 1
            return try (column(amplitude).sigmoid() * (f + one * decaying)).clamped(1e-6, 1 - 1e-6)
        }
        return (try curve(.returnAmplitude, .returnFloor), try curve(.degreeAmplitude, .degreeFloor))
    }
}

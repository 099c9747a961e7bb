import Torch

/// From what is known of a query to its interest curve.
///
/// Two elapsed times run while nothing happens: `g` since the last touch of the topic and `v` since the
/// person's last event. What is left of interest is
///
///     left(d; τ, p) = 1 / (1 + (d / τ)^p)
///     I = a (f + (1 - f) · left(g; τ, p) · (k left(v; ν, q) + (1 - k) left(v; υ, s)))
///
/// with amplitude `a`, floor share `f`, the topic's half-life `τ` and shape `p`, and for the person the share
/// `k` of a visit that ends soon (`ν`, `q`) beside the habit of coming at all (`υ`, `s`). It is taken once for
/// the chance of coming back within the horizon and once, with its own `a` and `f`, for the interest degree.
/// Inputs do not change while nothing happens, so the curve seen from any later moment is the same curve.
public struct DecayHead: Module {
    let first: Linear
    let second: Linear
    let output: Linear
    let dropout: Dropout

    /// Columns of the output.
    enum Column: Int, CaseIterable {
        case returnAmplitude, returnFloor, degreeAmplitude, degreeFloor, halfLife, shape, habitHalfLife, habitShape,
            visitHalfLife,
            visitShape, visitShare
    }

    /// Times are in horizons; this keeps the logarithm finite right after a touch.
    static let smallestTime = 1e-5
    static let smallestShape = 0.2
    /// Where training starts from: nearly all interest fades; habits last for some horizons, visits for a
    /// small part of one. Half-lives are logarithms of horizons.
    static let startingFloor = -5.0
    static let startingHabitHalfLife = 2.0
    static let startingVisitHalfLife = -6.0
    static let startingVisitShare = -2.0

    init(inputs: Int, _ options: ModelOptions) throws(TorchError) {
        first = try Linear(inputs, options.headWidth)
        second = try Linear(options.headWidth, options.headWidth)
        output = try Linear(options.headWidth, Column.allCases.count)
        dropout = Dropout(options.dropout)
    }

    /// The curve's constants before their activations: `x`: `[Q, D]`; returns `[Q, 11]`.
    func constants(_ x: Tensor, training: Bool) throws(TorchError) -> Tensor {
        try output(hidden(x, training: training))
    }

    /// The last hidden layer: `[Q, headWidth]`.
    func hidden(_ x: Tensor, training: Bool) throws(TorchError) -> Tensor {
        let h1 = try dropout(first(x).silu(), training: training)
        return try dropout(second(h1).silu(), training: training)
    }

    /// The curve at the queries' elapsed times. `logGap`, `logPersonGap`: `[Q]`, logarithms of horizons.
    static func values(
        _ constants: Tensor, logGap: Tensor, logPersonGap: Tensor
    ) throws(TorchError) -> (returned: Tensor, degree: Tensor) {
        let c = try constants.unbound(1)
        func column(_ column: Column) -> Tensor { c[column.rawValue] }
        // 1 / (1 + (d / τ)^p) = sigmoid(p (log τ - log d))
        func left(_ halfLife: Column, _ shape: Column, _ logTime: Tensor) throws(TorchError) -> Tensor {
            let p = try column(shape).softplus() + smallestShape
            return try (p * (column(halfLife) - logTime)).sigmoid()
        }
        let topic = try left(.halfLife, .shape, logGap)
        let habit = try left(.habitHalfLife, .habitShape, logPersonGap - startingHabitHalfLife)
        let visit = try left(.visitHalfLife, .visitShape, logPersonGap - startingVisitHalfLife)
        let share = try (column(.visitShare) + startingVisitShare).sigmoid()
        let decaying = try topic * (habit + share * (visit - habit))
        func curve(_ amplitude: Column, _ floor: Column) throws(TorchError) -> Tensor {
            let f = try (column(floor) + startingFloor).sigmoid()
            let one = try f * -1 + 1
            return try (column(amplitude).sigmoid() * (f + one * decaying)).clamped(1e-6, 1 - 1e-6)
        }
        return (try curve(.returnAmplitude, .returnFloor), try curve(.degreeAmplitude, .degreeFloor))
    }
}

import Torch

/// From what is known of a query to its interest curve.
///
/// Two elapsed times run while nothing happens: `g` since the last touch of the topic and `v` since the
/// person's last event. With amplitude `a`, floor share `f`, half-lives `τ`, `υ` and shapes `p`, `s`,
///
///     I = a (f + (1 - f) · 1 / (1 + (g / τ)^p) · 1 / (1 + (v / υ)^s))
///
/// once for the chance of coming back within the horizon and once, with its own `a` and `f`, for the
/// interest degree. Inputs do not change while nothing happens, so the curve seen from any later moment is
/// the same curve.
public struct DecayHead: Module {
    let first: Linear
    let second: Linear
    let output: Linear
    let dropout: Dropout

    /// Columns of the output.
    enum Column: Int, CaseIterable {
        case returnAmplitude, returnFloor, degreeAmplitude, degreeFloor, halfLife, shape, personHalfLife, personShape
    }

    /// Times are in horizons; this keeps the logarithm finite right after a touch.
    static let smallestTime = 1e-5
    static let smallestShape = 0.2
    /// Where training starts from: nearly all interest fades, and a person's silence alone says little.
    static let startingFloor = -5.0
    static let startingPersonHalfLife = 2.0

    init(inputs: Int, _ options: ModelOptions) throws(TorchError) {
        first = try Linear(inputs, options.headWidth)
        second = try Linear(options.headWidth, options.headWidth)
        output = try Linear(options.headWidth, Column.allCases.count)
        dropout = Dropout(options.dropout)
    }

    /// The curve's constants before their activations: `x`: `[Q, D]`; returns `[Q, 8]`.
    func constants(_ x: Tensor, training: Bool) throws(TorchError) -> Tensor {
        let h1 = try dropout(first(x).silu(), training: training)
        let h2 = try dropout(second(h1).silu(), training: training)
        return try output(h2)
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
        let person = try left(.personHalfLife, .personShape, logPersonGap - startingPersonHalfLife)
        let decaying = try topic * person
        func curve(_ amplitude: Column, _ floor: Column) throws(TorchError) -> Tensor {
            let f = try (column(floor) + startingFloor).sigmoid()
            let one = try f * -1 + 1
            return try (column(amplitude).sigmoid() * (f + one * decaying)).clamped(1e-6, 1 - 1e-6)
        }
        return (try curve(.returnAmplitude, .returnFloor), try curve(.degreeAmplitude, .degreeFloor))
    }
}

import Foundation
import Torch
import WaneBaselines
import WaneCurves

/// Distributions of the time until a return, one for each question, times in horizons.
protocol ReturnDistribution {
    /// Both `[N]` for times `[N]`.
    func logSurvival(_ times: Tensor) throws(TorchError) -> Tensor
    func logDensity(_ times: Tensor) throws(TorchError) -> Tensor
}

extension ReturnDistribution {
    /// Of each question, the log density where the return was seen (`observed` 1) and the log survival where it was
    /// not, given that there was none before `entry` (left truncation): all `[N]`, times in horizons.
    func logLikelihood(_ times: Tensor, observed: Tensor, entry: Tensor) throws(TorchError) -> Tensor {
        let survival = try logSurvival(times)
        // Nothing is known at an entry of 0, whose logarithm is none.
        let isLater = try entry.above(0)
        let before = try isLater * logSurvival(entry.clamped(1e-6, 1e12))
        return try survival + observed * (logDensity(times) - survival) - before
    }

    /// The time by which a share has come back of those who had not by `entry`, counted from the touch, at most
    /// `longest`: by bisection in the logarithm. `entry`: `[N]`.
    func quantile(_ share: Double, entry: Tensor, longest: Double) throws(TorchError) -> Tensor {
        let start = try entry.clamped(1e-6, longest)
        let isLater = try entry.above(0)
        let level = try isLater * logSurvival(start) + Foundation.log(1 - share)
        var low = try start.log()
        var high = try Tensor.full([entry.count], Foundation.log(longest))
        for _ in 0..<28 {
            let middle = try (low + high) * 0.5
            // 1 where more than the share are still to come.
            let more = try (logSurvival(middle.exp()) - level).above(0)
            low = try low + more * (middle - low)
            high = try middle + more * (high - middle)
        }
        return try high.exp()
    }
}

/// A mixture of log-logistic curves and of a share that never comes back:
///
///     S(t) = c + sum over k of w_k / (1 + (t / tau_k)^p_k)
///
/// whose parts begin at a visit, at a habit and beyond the horizon. `x`: `[N, D]`.
struct ReturnHead: Module {
    static let parts = 3
    /// Logarithms of horizons.
    static let startingTimes: [Float] = [-6, -2, 1]

    let layers: HiddenLayers
    let output: Linear

    init(inputs: Int, _ options: ModelOptions) throws(TorchError) {
        layers = try HiddenLayers(inputs: inputs, options)
        output = try Linear(options.headWidth, 3 * Self.parts + 1)
    }

    func callAsFunction(_ x: Tensor, training: Bool) throws(TorchError) -> Mixture {
        let z = try output(layers(x, training: training))
        let k = Self.parts
        return Mixture(
            logWeights: try z.slice(1, 0..<k + 1).logSoftmax(1),
            logTimes: try z.slice(1, k + 1..<2 * k + 1) + Tensor(Self.startingTimes),
            shapes: try (z.slice(1, 2 * k + 1..<3 * k + 1) + 0.5).softplus() + 0.1)
    }

    struct Mixture: ReturnDistribution {
        /// `[N, parts + 1]`, the last for those who never come back.
        let logWeights: Tensor
        let logTimes: Tensor
        let shapes: Tensor

        /// `p (log t - log tau)`, `[N, parts]`.
        private func scaled(_ times: Tensor) throws(TorchError) -> Tensor {
            try shapes * (times.log().unsqueezed(1) - logTimes)
        }

        func logSurvival(_ times: Tensor) throws(TorchError) -> Tensor {
            let parts = try -(scaled(times).softplus())
            let never = try Tensor.zeros([times.count, 1])
            return try (logWeights + Tensor.concatenated([parts, never], 1)).logSumExp(1)
        }

        func logDensity(_ times: Tensor) throws(TorchError) -> Tensor {
            let z = try scaled(times)
            let parts = try shapes.log() - times.log().unsqueezed(1) + z - z.softplus() * 2
            return try (logWeights.slice(1, 0..<ReturnHead.parts) + parts).logSumExp(1)
        }
    }
}

/// An intensity that follows the continuous-time LSTM's state after the last event:
///
///     lambda(t) = softplus(v . tanh(A h(t) + B x + c s)) / (t + e),   s = log(1 + t / e)
///
/// and `log S(t) = -integral of lambda`, which in `s` is that of the softplus alone: Gauss and Legendre's rule on
/// `[0, s]`. Source: Mei and Eisner 2017; the logarithmic time because returns spread over six powers of ten.
struct IntensityHead: Module {
    static let smallestTime = 1e-4
    /// Nodes and weights of the rule of 16 places on [-1, 1].
    static let rule = GaussLegendre(places: 16)

    let state: Linear
    let known: Linear
    let elapsed: Linear
    let output: Linear

    init(inputs: Int, _ options: ModelOptions) throws(TorchError) {
        state = try Linear(options.hidden, options.headWidth, bias: false)
        known = try Linear(inputs, options.headWidth)
        elapsed = try Linear(1, options.headWidth, bias: false)
        output = try Linear(options.headWidth, 1)
    }

    /// `left`: what the last events leave in the LSTM, `[N, 4 H]`; `x`: `[N, D]`.
    func callAsFunction(_ left: Tensor, _ x: Tensor) throws(TorchError) -> Intensity {
        Intensity(head: self, left: left, known: try known(x))
    }

    struct Intensity: ReturnDistribution {
        let head: IntensityHead
        let left: Tensor
        let known: Tensor

        /// The intensity in `s` at places `s`, `[N, S]`.
        private func rate(_ s: Tensor) throws(TorchError) -> Tensor {
            let times = try (s.exp() - 1) * IntensityHead.smallestTime
            let h = try ContinuousLSTM.state(left, after: times)
            let x = try head.state(h) + known.unsqueezed(1) + head.elapsed((s * 0.1).unsqueezed(2))
            return try head.output(x.tanh()).squeezed(2).softplus()
        }

        private func logTime(_ times: Tensor) throws(TorchError) -> Tensor {
            try (times * (1 / IntensityHead.smallestTime)).logOnePlus()
        }

        func logSurvival(_ times: Tensor) throws(TorchError) -> Tensor {
            let end = try logTime(times).unsqueezed(1)
            let rule = IntensityHead.rule
            let nodes = try Tensor(rule.nodes.map { Float(($0 + 1) / 2) }, shape: [1, rule.nodes.count])
            let weights = try Tensor(rule.weights.map { Float($0 / 2) }, shape: [1, rule.weights.count])
            return try -((rate(end * nodes) * weights).sum(1) * end.squeezed(1))
        }

        func logDensity(_ times: Tensor) throws(TorchError) -> Tensor {
            let s = try logTime(times)
            let perTime = try rate(s.unsqueezed(1)).squeezed(1).log()
            return try perTime - (times + IntensityHead.smallestTime).log() + logSurvival(times)
        }
    }
}

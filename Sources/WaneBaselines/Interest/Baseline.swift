import WaneEvents
import WaneState
import WaneTasks

/// A classical model of the interest task: fitted on training queries, asked about others.
public protocol Baseline: Sendable {
    /// As tables print it.
    var name: String { get }
    /// - Returns: the fitted model.
    func fitted(_ training: QuerySet, horizon: Double) -> any FittedBaseline
}

/// A baseline after its fit.
public protocol FittedBaseline: Sendable {
    /// The chance of coming back within the horizon, and the interest degree, for each query; all in 0...1.
    func predict(_ queries: QuerySet) -> (returnProbability: [Double], degree: [Double])
}

/// Every baseline that needs nothing but queries, in the order of tables: a new one is a file and a line here.
public enum Baselines {
    /// The same answer for everybody, and rates that differ without decay: what models are held against before anything is
    /// said of learning, or of decay.
    public static let constant = Constant.name
    public static let withoutDecay = GammaPoisson.name

    public static let all: [any Baseline] = [
        Constant(), LastValue(), GammaPoisson(),
        DecayBaseline(shape: .exponential, level: .global), DecayBaseline(shape: .exponential, level: .topic),
        DecayBaseline(shape: .exponential, level: .user),
        DecayBaseline(shape: .power, level: .global), DecayBaseline(shape: .power, level: .topic),
        DecayBaseline(shape: .power, level: .user),
        BGNBDBaseline(), HalfLifeRegression(), LogisticRegression(),
    ]

    /// All, and others behind those without decay.
    public static func all(with others: [any Baseline]) -> [any Baseline] {
        let place = all.firstIndex { $0.name == withoutDecay }.map { $0 + 1 } ?? all.endIndex
        return all[..<place] + others + all[place...]
    }
}

extension [Float] {
    var mean: Double { isEmpty ? 0 : reduce(0) { $0 + Double($1) } / Double(count) }
}

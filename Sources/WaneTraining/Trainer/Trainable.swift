import Torch

/// What a trainer needs of a model and its data. Everything an epoch does follows from the seed and the
/// epoch's number, so that a run can be taken up in the middle.
public protocol Trainable {
    var parameters: [(name: String, parameter: Parameter)] { get }
    /// Prepares an epoch and says how many steps it has.
    mutating func begin(epoch: Int) throws -> Int
    /// The mean loss of a step's rows.
    func loss(step: Int) throws -> Tensor
    /// How many rows a step works on.
    func rows(step: Int) -> Int
    func validationLoss() throws -> Double
    /// What that is, as people name it.
    var measure: String { get }
}

/// Where a run stands, for people who watch it.
public struct TrainingProgress: Sendable {
    public let epoch: Int
    public let epochs: Int
    public let step: Int
    public let steps: Int
    /// The mean loss of the epoch so far.
    public let loss: Double
    public let rowsPerSecond: Double
    /// Seconds until the last epoch would end, were there no early stop.
    public let secondsLeft: Double
    /// What ``validationLoss`` is, as people name it.
    public let measure: String
    /// Set at the end of an epoch.
    public let validationLoss: Double?
}

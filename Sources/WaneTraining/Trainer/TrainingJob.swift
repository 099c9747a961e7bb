import Torch

/// What a trainer does for any task: batches drawn anew each epoch, a loss for each, and a measure on validation.
struct TrainingJob<Batch>: Trainable {
    let parameters: [(name: String, parameter: Parameter)]
    /// The batches of an epoch; the same for the same number.
    let draw: (_ epoch: Int) throws -> [Batch]
    let rowCount: (Batch) -> Int
    let batchLoss: (_ batch: Batch, _ epoch: Int, _ step: Int) throws -> Tensor
    /// What is to be small on rows that training does not see.
    let validate: (_ epoch: Int) throws -> Double
    /// What `validate` gives, as people name it.
    var measure = "loss"
    private var batches: [Batch] = []
    private var epoch = 0

    init(
        parameters: [(name: String, parameter: Parameter)], draw: @escaping (_ epoch: Int) throws -> [Batch],
        rowCount: @escaping (Batch) -> Int,
        batchLoss: @escaping (_ batch: Batch, _ epoch: Int, _ step: Int) throws -> Tensor,
        validate: @escaping (_ epoch: Int) throws -> Double
    ) {
        self.parameters = parameters
        self.draw = draw
        self.rowCount = rowCount
        self.batchLoss = batchLoss
        self.validate = validate
    }

    mutating func begin(epoch: Int) throws -> Int {
        batches = try draw(epoch)
        self.epoch = epoch
        return batches.count
    }

    func loss(step: Int) throws -> Tensor { try batchLoss(batches[step], epoch, step) }
    func rows(step: Int) -> Int { rowCount(batches[step]) }
    func validationLoss() throws -> Double { try validate(epoch) }

    /// The mean of batches' losses over their rows, without gradients.
    static func mean(_ batches: [Batch], rowCount: (Batch) -> Int, _ loss: (Batch) throws -> Tensor) throws -> Double {
        try withoutGradients {
            var (sum, rows) = (0.0, 0)
            for batch in batches {
                sum += try loss(batch).item() * Double(rowCount(batch))
                rows += rowCount(batch)
            }
            return sum / Double(max(1, rows))
        }
    }
}

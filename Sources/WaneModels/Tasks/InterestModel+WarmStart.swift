import Torch

extension InterestModel {
    /// Takes over what another model of the same family and sizes has learned: all weights but those of decay, which are found
    /// beforehand; rows of items and topics by where they stood there, new ones as they are.
    ///
    /// - Parameters:
    ///   - itemRows, topicRows: for each of this model's rows, 0 included, the other's; nothing where it has none.
    /// - Throws: where the other is of other sizes.
    public func takeOver(_ other: InterestModel, itemRows: [Int64?], topicRows: [Int64?]) throws(TorchError) {
        let known = Dictionary(uniqueKeysWithValues: other.trainable)
        for (name, parameter) in trainable {
            guard let source = known[name]?.value else {
                throw TorchError(operation: "warm start", message: "the model has no \(name)")
            }
            let rows =
                switch name {
                case "queries.topics.weight": topicRows
                case "queries.events.items.weight": itemRows
                default: [Int64?]()
                }
            guard rows.isEmpty else {
                // A row that was not there keeps what it was drawn as.
                let all = try Tensor.concatenated([parameter.value.detached(), source.detached()], 0)
                let own = Int64(parameter.value.shape[0])
                let places = rows.enumerated().map { place, row in row.map { own + $0 } ?? Int64(place) }
                try withoutGradients { () throws(TorchError) in
                    try parameter.value.overwrite(with: all.rows(Tensor(places)))
                }
                continue
            }
            guard source.shape == parameter.value.shape else {
                throw TorchError(operation: "warm start", message: "\(name) is of another size")
            }
            try withoutGradients { () throws(TorchError) in
                try parameter.value.overwrite(with: source.detached())
            }
        }
    }
}

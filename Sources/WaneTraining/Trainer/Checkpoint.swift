import Foundation
import Torch
import WaneBundle

/// A run's whole state in one file: weights, the best weights so far, the optimizer, libtorch's generator,
/// and where in the epoch it stands.
struct Checkpoint {
    struct Place: Codable, Equatable {
        var epoch = 0
        /// Steps of the epoch that are done.
        var step = 0
        /// Steps done in all, for the schedule.
        var totalSteps = 0
        var lossSum = 0.0
        var lossRows = 0
        var history = TrainingHistory()
        /// Spent so far.
        var seconds = 0.0
        /// What the run was started with; another run's checkpoint is refused.
        var options = TrainingOptions()
        var task = ""
    }

    var place: Place
    var weights: [String: Tensor]
    var best: [String: Tensor]
    var optimizer: [String: Tensor]
    var average: [String: Tensor]
    var random: Tensor

    func write(to url: URL) throws {
        var tensors: [String: Tensor] = ["random": random]
        for (name, tensor) in weights { tensors["weights/\(name)"] = tensor }
        for (name, tensor) in best { tensors["best/\(name)"] = tensor }
        for (name, tensor) in optimizer { tensors["optimizer/\(name)"] = tensor }
        for (name, tensor) in average { tensors["average/\(name)"] = tensor }
        let place = String(decoding: try JSONEncoder().encode(place), as: UTF8.self)
        try DurableFile.replace(url, with: try Safetensors.encode(tensors, metadata: ["place": place]))
    }

    init(
        place: Place, weights: [String: Tensor], best: [String: Tensor], optimizer: [String: Tensor],
        average: [String: Tensor], random: Tensor
    ) {
        self.place = place
        self.weights = weights
        self.best = best
        self.optimizer = optimizer
        self.average = average
        self.random = random
    }

    init(reading url: URL) throws {
        let (tensors, metadata) = try Safetensors.read(url)
        guard let text = metadata["place"], let random = tensors["random"] else {
            throw SafetensorsError.header(file: url.path, reason: "it is no checkpoint of a training run")
        }
        place = try JSONDecoder().decode(Place.self, from: Data(text.utf8))
        self.random = random
        func group(_ prefix: String) -> [String: Tensor] {
            var group: [String: Tensor] = [:]
            for (name, tensor) in tensors where name.hasPrefix(prefix) {
                group[String(name.dropFirst(prefix.count))] = tensor
            }
            return group
        }
        weights = group("weights/")
        best = group("best/")
        optimizer = group("optimizer/")
        average = group("average/")
    }
}

import ArgumentParser
import Configuration
import Foundation
import Torch
import WaneBundle
import WaneEvents
import WaneModels
import WaneTasks
import WaneTraining

/// How models are trained. A value comes from its flag, else from the environment (`WANE_TRAIN_EPOCHS`), else
/// from the configuration file (`{"train": {"epochs": 20}}`), else it is the default.
struct TrainOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The most epochs.", valueName: "n")) var epochs: Int?
    @Option(help: ArgumentHelp("Epochs without progress before training ends.", valueName: "n")) var patience: Int?
    @Option(help: ArgumentHelp("The learning rate.", valueName: "x")) var learningRate: Double?
    @Option(help: "The optimizer.") var optimizer: OptimizerName?
    @Option(help: "How the learning rate changes over the run.") var schedule: Schedule?
    @Option(help: ArgumentHelp("Dropout in the head, which models of the next item have none of.", valueName: "share"))
    var dropout: Double?
    @Option(help: ArgumentHelp("Dropout on what is read of the history.", valueName: "share")) var historyDropout:
        Double?
    @Option(help: ArgumentHelp("L1 penalty on all weights.", valueName: "x")) var l1: Double?
    @Option(help: ArgumentHelp("Weight decay: L2 with adam and sgd, decoupled with adamw.", valueName: "x"))
    var weightDecay: Double?
    @Option(help: ArgumentHelp("How much of the weights' moving average a step keeps; 0 for none.", valueName: "share"))
    var averaging: Double?
    @Option(help: ArgumentHelp("The largest norm of a step's gradients.", valueName: "x")) var clip: Double?
    @Option(help: ArgumentHelp("Queries in a step.", valueName: "n")) var batch: Int?
    @Option(
        help: ArgumentHelp(
            "Training queries drawn anew for each epoch; models of the next item learn from every event.",
            valueName: "n")) var queries: Int?
    @Option(help: ArgumentHelp("Test queries; models of the next item are asked about everybody.", valueName: "n"))
    var testQueries: Int?
    @Option(help: ArgumentHelp("Width of the history's state.", valueName: "n")) var hidden: Int?
    @Option(help: ArgumentHelp("Layers or blocks.", valueName: "n")) var layers: Int?
    @Option(help: ArgumentHelp("Heads of attention.", valueName: "n")) var heads: Int?
    @Option(help: "What keeps the sparse autoencoder's code sparse.") var sparsity: Sparsity?
    @Option(help: ArgumentHelp("How much that weighs.", valueName: "x")) var sparsityWeight: Double?
    @Option(
        help: ArgumentHelp(
            "Threads that one operator may use; one when absent, in ranking all there are.", valueName: "n"))
    var threads: Int?
    @Option(help: ArgumentHelp("Configuration file; wane.json in this folder where there is one.", valueName: "file"))
    var config: String?

    enum OptimizerName: String, ExpressibleByArgument, CaseIterable { case adam, adamw, sgd }

    /// The encoder's options that were given as flags.
    private var encoderFlags: [EncoderOption] {
        var given: [EncoderOption] = []
        if hidden != nil { given.append(.hidden) }
        if layers != nil { given.append(.layers) }
        if heads != nil { given.append(.heads) }
        if historyDropout != nil { given.append(.historyDropout) }
        if sparsity != nil { given.append(.sparsity) }
        if sparsityWeight != nil { given.append(.sparsityWeight) }
        return given
    }

    /// Refuses, before any work, a family that there is not and a flag that the task or none of the families would obey.
    ///
    /// In models of the next item a width and a dropout of the history are every family's, and each person's events are
    /// the questions; a cohort is asked once for each person.
    func check(_ families: [String], for task: BundleTask, _ console: Console) async throws {
        let known = ModelFamilies.all.map(\.name) + (task == .interest ? [LSTMBasic.name] : [])
        for name in families where !known.contains(name) { throw ModelOptionsError.unknownFamily(name, known: known) }
        if task == .ranking || task == .cohort {
            let unheard =
                queries != nil
                ? "queries" : testQueries != nil ? "test-queries" : task == .ranking && dropout != nil ? "dropout" : nil
            if let unheard {
                throw ValidationError(
                    "--\(unheard): "
                        + (task == .ranking
                            ? "models of the next item learn from every event and have no head; see --history-dropout"
                            : "a cohort is asked once for each person; there is no number of questions to set"))
            }
        }
        for option in encoderFlags {
            guard !Self.obeys(families, option, for: task), let name = families.first else { continue }
            let own = (ModelFamilies.named(name)?.options ?? []).filter { $0 != .historyLength }.map(\.rawValue)
                .sorted()
            throw ModelOptionsError.notAnOption(option.rawValue, family: name, options: own)
        }
        if families == [LSTMBasic.name], dropout != nil {
            throw ModelOptionsError.notAnOption("dropout", family: LSTMBasic.name, options: [])
        }
        // The environment and the file serve many commands: what this one does not obey is named, not refused.
        let settings = try await Settings(file: config)
        var unheard = task == .ranking ? ["queries", "test-queries", "dropout"] : []
        if task == .cohort { unheard = ["queries", "test-queries"] }
        unheard += EncoderOption.allCases.filter { !Self.obeys(families, $0, for: task) }.map(\.rawValue)
        let ignored = unheard.filter(settings.isSet)
        if !ignored.isEmpty, !families.isEmpty {
            console.note(
                "note: \(ignored.map { "train.\($0)" }.joined(separator: ", ")) of the configuration \(ignored.count > 1 ? "are" : "is") "
                    + "of no effect on \(families.joined(separator: ", ")) here")
        }
    }

    private static func obeys(_ families: [String], _ option: EncoderOption, for task: BundleTask) -> Bool {
        families.contains { name in
            if task == .ranking, option == .hidden || option == .historyDropout { return true }
            return ModelFamilies.named(name)?.options.contains(option) == true
        }
    }

    /// What the flags, the environment and the file say together.
    ///
    /// - Parameters:
    ///   - model: the task's defaults, as are `training`'s.
    ///   - most: threads where none are asked for. A second one only gains where products are large, as over all items: models of
    ///     interest and of returns train faster on one (`Benchmarks/run threads`).
    func resolved(
        family: String, seed: UInt64, model: ModelOptions = ModelOptions(),
        training: TrainingOptions = TrainingOptions(), threads most: Int = 1
    ) async throws -> (model: ModelOptions, training: TrainingOptions) {
        let settings = try await Settings(file: config)
        var model = model
        model.family = family
        var training = training
        if family == LSTMBasic.name {
            // The recipe's own constants.
            training.epochs = 100
            training.patience = 100
            training.learningRate = 1e-3
            training.batch = 32
            training.optimizer = .adam()
            training.warmup = 0
            training.clip = 1e9
            training.averaging = 0
        }
        training.seed = seed
        training.epochs = try settings.int("epochs", epochs) ?? training.epochs
        training.patience = try settings.int("patience", patience) ?? training.patience
        training.learningRate = try settings.double("learning-rate", learningRate) ?? training.learningRate
        training.l1 = try settings.double("l1", l1) ?? training.l1
        training.clip = try settings.double("clip", clip) ?? training.clip
        training.averaging = try settings.double("averaging", averaging) ?? training.averaging
        training.batch = try settings.int("batch", batch) ?? training.batch
        training.trainQueries = try settings.int("queries", queries) ?? training.trainQueries
        training.testQueries = try settings.int("test-queries", testQueries) ?? training.testQueries
        training.schedule = try settings.named("schedule", schedule, Schedule.init(rawValue:)) ?? training.schedule
        let decay = try settings.double("weight-decay", weightDecay)
        if let name = try settings.named("optimizer", optimizer, OptimizerName.init(rawValue:)) {
            switch name {
            case .adam: training.optimizer = .adam(weightDecay: decay ?? 0)
            case .adamw: training.optimizer = .adamW(weightDecay: decay ?? 0.01)
            case .sgd: training.optimizer = .sgd(momentum: 0.9, weightDecay: decay ?? 0)
            }
        } else if let decay {
            training.optimizer = .adamW(weightDecay: decay)
        }
        model.dropout = try settings.double("dropout", dropout) ?? model.dropout
        model.historyDropout = try settings.double("history-dropout", historyDropout) ?? model.historyDropout
        model.hidden = try settings.int("hidden", hidden) ?? model.hidden
        model.layers = try settings.int("layers", layers) ?? model.layers
        model.heads = try settings.int("heads", heads) ?? model.heads
        model.sparsity = try settings.named("sparsity", sparsity, Sparsity.init(rawValue:)) ?? model.sparsity
        model.sparsityWeight = try settings.double("sparsity-weight", sparsityWeight) ?? model.sparsityWeight
        let wanted = try settings.int("threads", threads) ?? most
        guard (1...1_024).contains(wanted) else { throw ValidationError("--threads \(wanted): give 1 to 1024") }
        try Runtime.setThreads(wanted)
        return (model, training)
    }
}

extension Schedule: ExpressibleByArgument {}
extension Sparsity: ExpressibleByArgument {}

/// Values under `train` in the environment and the configuration file.
private struct Settings {
    private let reader: ConfigReader
    private static let known: Set<String> = [
        "epochs", "patience", "learning-rate", "optimizer", "schedule", "dropout", "history-dropout", "l1",
        "weight-decay", "averaging", "clip",
        "batch", "queries", "test-queries", "hidden", "layers", "heads", "sparsity", "sparsity-weight", "threads",
    ]

    init(file: String?) async throws {
        let environment = EnvironmentVariablesProvider().prefixKeys(with: "wane")
        for name in ProcessInfo.processInfo.environment.keys.sorted() where name.hasPrefix("WANE_TRAIN_") {
            let key = name.dropFirst("WANE_TRAIN_".count).lowercased().replacing("_", with: "-")
            if !Self.known.contains(key) {
                throw ValidationError("\(name): no setting is called \(key)\(Self.nearest(key))")
            }
        }
        let path = file ?? (FileManager.default.fileExists(atPath: "wane.json") ? "wane.json" : nil)
        guard let path else {
            reader = ConfigReader(provider: environment)
            return
        }
        try Self.checkKeys(path)
        let provider = try await FileProvider<JSONSnapshot>(filePath: .init(path))
        reader = ConfigReader(providers: [environment, provider])
    }

    /// A misspelt key would be passed over in silence.
    private static func checkKeys(_ path: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ValidationError("\(path): the configuration file cannot be opened")
        }
        guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw ValidationError("\(path): the configuration file is not a JSON object")
        }
        for key in object.keys where key != "train" {
            throw ValidationError("\(path): no setting is called \(key); settings stand under \"train\"")
        }
        guard let train = object["train"] as? [String: Any]? else {
            throw ValidationError("\(path): \"train\" is not an object")
        }
        for key in train?.keys.sorted() ?? [] where !known.contains(key) {
            throw ValidationError(
                "\(path): no setting is called train.\(key)\(nearest(key))")
        }
    }

    /// What may have been meant, and all that there are.
    private static func nearest(_ name: String) -> String {
        let hint = NearestName.hint(name, among: known)
        return "\(hint) There are \(known.sorted().joined(separator: ", "))"
    }

    /// Whether the environment or the file says something.
    func isSet(_ name: String) -> Bool {
        reader.string(forKey: key(name)) != nil || reader.double(forKey: key(name)) != nil
            || reader.int(forKey: key(name)) != nil
    }

    private func key(_ name: String) -> ConfigKey { ConfigKey("train.\(name)") }

    private func refuse(_ name: String, needs: String) throws {
        if let text = reader.string(forKey: key(name)) {
            throw ValidationError("train.\(name): \"\(text)\" is not \(needs)")
        }
    }

    func int(_ name: String, _ flag: Int?) throws -> Int? {
        if let value = flag ?? reader.int(forKey: key(name)) { return value }
        try refuse(name, needs: "a whole number")
        return nil
    }

    func double(_ name: String, _ flag: Double?) throws -> Double? {
        if let value = flag ?? reader.double(forKey: key(name)) { return value }
        if let whole = reader.int(forKey: key(name)) { return Double(whole) }
        try refuse(name, needs: "a number")
        return nil
    }

    func named<Value>(_ name: String, _ flag: Value?, _ make: (String) -> Value?) throws -> Value? {
        if let flag { return flag }
        guard let text = reader.string(forKey: key(name)) else { return nil }
        guard let value = make(text) else {
            throw ValidationError("train.\(name): \"\(text)\" is not one of its values")
        }
        return value
    }
}

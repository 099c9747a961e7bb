import Foundation
import Torch
import WaneBundle
import WaneEvents
import WaneExplanation
import WanePrediction

/// A version of a model at work. Requests hold the one they began with: a swap changes no answer that is on its way.
public final class LoadedModel: @unchecked Sendable {
    public let version: String
    public let predictor: Predictor
    /// Nothing for models that tell no causes apart.
    let explainer: Explainer?
    public let loaded: Date

    public var bundle: ModelBundle { predictor.bundle }
    public var task: BundleTask { bundle.task }

    /// Reads a model and answers a question with it, so that the first person who asks waits no longer than the next.
    ///
    /// - Throws: ``RegistryError`` for a model that a service cannot use.
    init(folder: String, version: String) throws {
        try Runtime.setThreads(1)
        let bundle = try BundleFolder.read(folder, for: [.interest, .ranking, .return])
        guard bundle.description.clock == .wall else { throw RegistryError.noTimes(version: version) }
        self.version = version
        predictor = Predictor(bundle)
        explainer = bundle.description.causes == nil ? nil : try Explainer(predictor)
        loaded = Date()
        try warm()
    }

    /// An event of something that the model knows.
    private func known(before moment: Int64) -> EventRecord {
        let vocabulary = bundle.vocabulary
        let item = vocabulary.items.count > 0 ? vocabulary.items[0] : "all"
        return EventRecord(user: "nobody", time: moment - 3_600 * EventLog.second, item: item)
    }

    private func warm() throws {
        let nobody = try PersonView("", [], for: self)
        let now = bundle.popularity.until
        switch task {
        case .interest:
            guard bundle.hasCurves else { return }
            let somebody = try PersonView("", [known(before: now)], for: self)
            let chances = try somebody.interests(at: now, topic: nil, of: self).map {
                $0.curve.returnProbability(after: 0)
            }
            guard chances.allSatisfy(\.isFinite) else { throw RegistryError.noNumbers(version: version) }
        case .ranking:
            if bundle.population != nil { _ = try nobody.recommendations(1, among: nil, at: now, seen: nil, of: self) }
        case .return: _ = try nobody.returns(at: now, topic: nil, of: self)
        default: break
        }
    }
}

public enum RegistryError: Error, Sendable, Equatable, CustomStringConvertible {
    case noModel(task: String)
    case noVersion(String)
    case noTimes(version: String)
    /// Its answers are no numbers.
    case noNumbers(version: String)
    /// What lies in its folder is another version.
    case changed(version: String)
    case nothingBefore(task: String)
    /// Another version answers by now.
    case replaced(task: String)

    public var description: String {
        switch self {
        case .noModel(let task): "no model for \(task) is active; train one and give it with wane serve --model FOLDER"
        case .noVersion(let version): "there is no version \(version); GET /v1/models lists all"
        case .noTimes(let version):
            "version \(version) was trained on order only, and a service has times; train a model on times"
        case .noNumbers(let version): "version \(version) answers with what are no numbers; train it anew"
        case .changed(let version): "what lies in the folder of version \(version) is another one"
        case .replaced(let task): "another version answers for \(task) by now; look again with GET /v1/models"
        case .nothingBefore(let task): "no version was active before this one for \(task)"
        }
    }
}

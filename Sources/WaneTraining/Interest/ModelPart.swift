import WaneBaselines
import WaneBundle
import WaneCurves
import WaneState

/// A part of a model that it can be trained without, to see what it is worth.
public enum ModelPart: String, Sendable, Codable, CaseIterable {
    /// Rates pass in a person's own hours of the day (decision 35); without, in raw time.
    case season
    /// The head's chance that a person is gone for good; without, everybody is around. (Half-lives are still fitted beside leaving.)
    case presence
    /// Pairs of person and topic have half-lives of their own; without, all of a topic have the same.
    case pairs
    /// How often a person has come back to a topic moves its rate by Bayes's rule; without, all pairs begin at their topic's.
    case rate
    /// Shape and floor beyond the half-life bend as the loss wants; without, they are the topic's.
    case tail
    /// A person's own sensitivity to each cause; without, everybody has the mean.
    case sensitivity
    /// What each cause does to half-lives.
    case fatigue, overload, habit, social

    /// Weights of the network that stay as they begin.
    var weights: [String] {
        switch self {
        case .presence: ["head.person"]
        case .tail: ["head.tail"]
        default: []
        }
    }

    /// The cause that this part is; nothing for others.
    public var cause: Cause? { Cause(rawValue: rawValue) }
}

extension Set<ModelPart> {
    func takeOut(of record: inout CauseRecord) {
        for cause in compactMap(\.cause) { record.schema.moving[cause] = false }
        if contains(.sensitivity) { record.schema.variance = ByCause(repeating: CauseSchema.none) }
    }
}

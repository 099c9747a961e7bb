import Foundation
import WaneBundle
import WaneCurves
import WaneEvents
import WaneExplanation
import WanePrediction
import WaneState

/// A value that is written as null where there is none.
@propertyWrapper
struct OrNull<Value: Encodable & Sendable>: Encodable, Sendable {
    var wrappedValue: Value?

    init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
    }
}

/// Which model an answer is of.
struct ModelName: Encodable, Sendable {
    let version: String
    let family: String

    init(_ model: LoadedModel) {
        version = model.version
        family = model.bundle.description.family
    }
}

struct InterestRow: Encodable, Sendable {
    let topic: String
    @OrNull var degree: Double?
    @OrNull var returnProbability: Double?
    let returns: Bool
    @OrNull var halfLifeSeconds: Double?
    @OrNull var halfLifeLowSeconds: Double?
    @OrNull var halfLifeHighSeconds: Double?
    let halfLifeBound: String
    @OrNull var lapseAt: String?
    let lapseBound: String
    let basis: String

    /// - Parameter moment: microseconds.
    init(_ answer: PersonView.Interest, at moment: Int64, of bundle: ModelBundle) {
        let curve = answer.curve
        let isKnown = answer.basis == .history
        let chance = curve.returnProbability(after: 0)
        topic = answer.topic
        degree = short(curve.degree(after: 0))
        returnProbability = short(chance)
        returns = chance >= bundle.description.threshold
        halfLifeSeconds = isKnown ? short(curve.halfLife) : nil
        halfLifeLowSeconds = isKnown ? short(curve.halfLifeInterval?.lowerBound) : nil
        halfLifeHighSeconds = isKnown ? short(curve.halfLifeInterval?.upperBound) : nil
        halfLifeBound = (isKnown ? bundle.halfLifeBound(curve.halfLife) : .none).rawValue
        let lapse = isKnown ? bundle.lapse(curve) : nil
        lapseAt = bundle.lapseMoment(lapse, from: moment).map(TimeFormat.rfc3339)
        lapseBound = bundle.lapseBound(lapse).rawValue
        basis = answer.basis.rawValue
    }
}

struct InterestsAnswer: Encodable, Sendable {
    let user: String
    let at: String
    let model: ModelName
    let interests: [InterestRow]
}

struct CurvePoint: JSONRow, Sendable {
    let elapsedSeconds: Double
    let interest: Double
    let returnProbability: Double
    let degree: Double

    /// As JSON; what is no number is null.
    func write(to text: inout [UInt8]) {
        text += Self.names.degree
        ShortNumber(degree).write(to: &text)
        text += Self.names.elapsed
        ShortNumber(elapsedSeconds).write(to: &text)
        text += Self.names.interest
        ShortNumber(interest).write(to: &text)
        text += Self.names.chance
        ShortNumber(returnProbability).write(to: &text)
        text.append(UInt8(ascii: "}"))
    }

    private static let names = (
        degree: Array(#"{"degree":"#.utf8), elapsed: Array(#","elapsed_seconds":"#.utf8),
        interest: Array(#","interest":"#.utf8), chance: Array(#","return_probability":"#.utf8)
    )
}

/// Beside its points, which are rows of their own.
struct CurveAnswer: Encodable, Sendable {
    let user: String
    let at: String
    let model: ModelName
    let interest: InterestRow
    /// Moments of the touches so far, the last hundred.
    let touches: [String]
}

struct ExplanationAnswer: Encodable, Sendable {
    struct CauseRow: Encodable, Sendable {
        let cause: String
        @OrNull var multiplier: Double?
        @OrNull var low: Double?
        @OrNull var high: Double?
        @OrNull var credited: Double?
        let isShown: Bool
        @OrNull var evidence: String?
    }
    struct WhatIf: Encodable, Sendable {
        let change: String
        @OrNull var halfLifeSeconds: Double?
        @OrNull var returnProbability: Double?
        @OrNull var degree: Double?
        let basis: String
    }

    let user: String
    let topic: String
    let at: String
    let model: ModelName
    let basis: String
    @OrNull var baseHalfLifeSeconds: Double?
    @OrNull var halfLifeSeconds: Double?
    @OrNull var mainCause: String?
    let causes: [CauseRow]
    let whatIf: [WhatIf]
    /// What a reader must know to read it right.
    let notes: [String]
}

struct ReturnsAnswer: Encodable, Sendable {
    struct Row: Encodable, Sendable {
        let topic: String
        @OrNull var medianSeconds: Double?
        @OrNull var lowSeconds: Double?
        @OrNull var highSeconds: Double?
        @OrNull var basis: String?
    }
    let user: String
    let at: String
    let model: ModelName
    let returns: [Row]
}

struct RecommendationsAnswer: Encodable, Sendable {
    struct Row: JSONRow, Sendable {
        let rank: Int
        let item: String
        let score: Double?
        let topics: [String]

        func write(to text: inout [UInt8]) {
            text += Self.names.item
            text.append(json: item)
            text += Self.names.rank
            text += Array(String(rank).utf8)
            text += Self.names.score
            ShortNumber(score ?? .nan).write(to: &text)
            text += Self.names.topics
            for (place, topic) in topics.enumerated() {
                if place > 0 { text.append(UInt8(ascii: ",")) }
                text.append(json: topic)
            }
            text += Self.names.end
        }

        private static let names = (
            item: Array(#"{"item":"#.utf8), rank: Array(#","rank":"#.utf8), score: Array(#","score":"#.utf8),
            topics: Array(#","topics":["#.utf8), end: Array("]}".utf8)
        )
    }
    let user: String
    let at: String
    let model: ModelName
    let basis: String
}

/// What became of events that were sent: what the service writes and `wane ingest` reads.
public struct ReceiptsAnswer: Codable, Sendable {
    public struct Row: Codable, Sendable {
        public let status: String
        public var pointer: String?
        public var reason: String?
        var line: Int?
    }
    public let accepted: Int
    public let duplicate: Int
    public let rejected: Int
    public let receipts: [Row]
}

/// An event as a line of JSON: what `wane ingest` sends, and what is exported of a person.
public struct EventLine: Encodable, Sendable {
    let eventID: String?
    let user: String
    let time: String
    let item: String
    let topics: [String]
    @OrNull var duration: Double?
    @OrNull var eventType: String?
    @OrNull var weight: Double?

    private enum CodingKeys: String, CodingKey {
        case eventID = "event_id"
        case eventType = "event_type"
        case user, time, item, topics, duration, weight
    }

    public init(_ record: EventRecord) {
        (eventID, user, time) = (record.id, record.user, TimeFormat.rfc3339(record.time))
        (item, topics) = (record.item, record.topics)
        (duration, eventType, weight) = (record.duration, record.type, record.weight)
    }
}

struct VersionRow: Encodable, Sendable {
    let version: String
    @OrNull var task: String?
    @OrNull var family: String?
    let labels: [String]
    @OrNull var fault: String?
}

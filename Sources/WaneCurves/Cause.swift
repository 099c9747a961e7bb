/// Why an interest fades faster or slower than this person's interest in this topic ordinarily does.
public enum Cause: String, CaseIterable, Codable, Sendable, Comparable {
    /// Too much of the topic itself.
    case fatigue
    /// Too much of everything else.
    case overload
    /// A change in when, how often and with what the person spends their time.
    case habit
    /// What the people around them do with the topic.
    case social

    public static func < (a: Cause, b: Cause) -> Bool { a.index < b.index }

    /// The place among ``allCases``.
    public var index: Int {
        switch self {
        case .fatigue: 0
        case .overload: 1
        case .habit: 2
        case .social: 3
        }
    }
}

/// One number for each cause.
public struct ByCause<Value: Sendable>: Sendable {
    private var values: [Value]

    public init(repeating value: Value) { values = Array(repeating: value, count: Cause.allCases.count) }

    public subscript(cause: Cause) -> Value {
        get { values[cause.index] }
        set { values[cause.index] = newValue }
    }
}

extension ByCause: Equatable where Value: Equatable {}

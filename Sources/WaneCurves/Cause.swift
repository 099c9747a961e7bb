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
    private var fatigue, overload, habit, social: Value

    public init(repeating value: Value) { (fatigue, overload, habit, social) = (value, value, value, value) }

    public init(_ value: (Cause) -> Value) {
        (fatigue, overload) = (value(.fatigue), value(.overload))
        (habit, social) = (value(.habit), value(.social))
    }

    public subscript(cause: Cause) -> Value {
        get {
            switch cause {
            case .fatigue: fatigue
            case .overload: overload
            case .habit: habit
            case .social: social
            }
        }
        set {
            switch cause {
            case .fatigue: fatigue = newValue
            case .overload: overload = newValue
            case .habit: habit = newValue
            case .social: social = newValue
            }
        }
    }
}

extension ByCause: Equatable where Value: Equatable {}

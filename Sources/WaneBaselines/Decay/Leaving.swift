#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Who may have left for good: how likely each person is still around in each part of the silence after their last event.
///
/// People leave at a rate that depends on how long they have been there (one for each octave), like in Pareto/NBD; that somebody
/// is silent speaks for it the more, the more touches their interests would have made. By expectation and maximization.
struct Leaving {
    static let octaves = 8
    /// `[people, silences]`, and at the end.
    private(set) var around: [Double]
    private(set) var aroundAtEnd: [Double]
    /// Leaves a second, by octave of a person's life.
    private(set) var rates: [Double]
    private let lengths: [Double]
    private let ages: [Int]
    private let lives: [Double]
    private let span: Double

    /// - Parameter isKnown: whether leaving can be told from fading at all: else everybody stays.
    init(_ record: TouchRecord, isKnown: Bool) {
        let parts = TouchRecord.silences
        span = record.span
        around = Array(repeating: isKnown ? 0.5 : 1, count: record.people.count * parts)
        aroundAtEnd = Array(repeating: isKnown ? 0.5 : 1, count: record.people.count)
        rates = Array(repeating: 1 / record.span, count: Self.octaves)
        var (lengths, ages): ([Double], [Int]) = ([], [])
        for person in record.people {
            for part in 0..<parts {
                let (from, to) = (Double(part) / Double(parts), Double(part + 1) / Double(parts))
                lengths.append(person.silence * (to * to - from * from))
                ages.append(Self.octave(person.life + person.silence * (from * from + to * to) / 2, span))
            }
        }
        (self.lengths, self.ages) = (lengths, ages)
        // Time that people are known to have stayed.
        var lives = [Double](repeating: 0, count: Self.octaves)
        for person in record.people {
            for octave in 0..<Self.octaves {
                let low = octave == 0 ? 0 : span * exp2(Double(octave - Self.octaves))
                lives[octave] += max(0, min(person.life, span * exp2(Double(octave + 1 - Self.octaves))) - low)
            }
        }
        self.lives = lives
    }

    private static func octave(_ age: Double, _ span: Double) -> Int {
        min(octaves - 1, max(0, Int((Double(octaves) + log2(max(1e-12, age / span))).rounded(.down))))
    }

    /// - Parameter touches: expected of each person in each part of their silence if they are around: `[people, silences]`.
    mutating func update(expecting touches: [Double]) {
        let parts = TouchRecord.silences
        for _ in 0..<5 {
            var left = [Double](repeating: 0, count: Self.octaves)
            var stayed = lives
            for person in 0..<around.count / parts {
                // Logarithms: a busy person's silence is less likely than any number.
                var leaves = [Double](repeating: 0, count: parts)
                var before = 0.0
                for part in 0..<parts {
                    let at = person * parts + part
                    let leaving = rates[ages[at]] * lengths[at]
                    leaves[part] = log(max(1e-300, -expm1(-leaving))) - before - touches[at] / 2
                    before += leaving + touches[at]
                }
                let most = leaves.reduce(-before, max)
                for part in 0..<parts { leaves[part] = exp(leaves[part] - most) }
                let all = leaves.reduce(exp(-before - most), +)
                var rest = 1.0
                for part in 0..<parts {
                    let at = person * parts + part
                    let share = leaves[part] / all
                    around[at] = max(0, rest - share / 2)
                    rest -= share
                    left[ages[at]] += share
                    stayed[ages[at]] += around[at] * lengths[at]
                }
                aroundAtEnd[person] = max(0, rest)
            }
            for octave in rates.indices { rates[octave] = (left[octave] + 0.5) / (stayed[octave] + span / 2) }
        }
    }
}

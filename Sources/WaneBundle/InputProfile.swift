import Foundation
import WaneState
import WaneTasks

/// How a model's inputs and its chances were spread over its validation questions: what later ones are compared with.
public struct InputProfile: Sendable, Equatable, Codable {
    /// One number's spread: nine edges at most, and the share of questions in each of the bins that they part.
    public struct Spread: Sendable, Equatable, Codable {
        public let edges: [Float]
        public let shares: [Double]

        /// Bins with a tenth of the values each, fewer where values are equal.
        init(_ values: [Float]) {
            let sorted = values.sorted()
            let tenths = (1...9).compactMap {
                sorted.isEmpty ? nil : sorted[min(sorted.count - 1, $0 * sorted.count / 10)]
            }
            edges = tenths.reduce(into: []) { if $0.last != $1 { $0.append($1) } }
            shares = Self.shares(values, edges)
        }

        private static func shares(_ values: [Float], _ edges: [Float]) -> [Double] {
            var counts = [Double](repeating: 0, count: edges.count + 1)
            for value in values { counts[edges.partitioningIndex { $0 > value }] += 1 }
            let all = max(1, Double(values.count))
            return counts.map { $0 / all }
        }

        /// Population stability index: the sum over bins of `(q - p) log(q / p)`, shares below a thousandth counted as one. Below .1 little has
        /// changed, from .25 on a lot.
        public func stabilityIndex(of values: [Float]) -> Double {
            zip(Self.shares(values, edges), shares).reduce(0) { sum, pair in
                let (q, p) = (max(1e-3, pair.0), max(1e-3, pair.1))
                return sum + (q - p) * Foundation.log(q / p)
            }
        }

        fileprivate var isSound: Bool {
            shares.count == edges.count + 1 && edges.count <= 9 && shares.allSatisfy { (0...1).contains($0) }
                && edges.allSatisfy(\.isFinite) && zip(edges, edges.dropFirst()).allSatisfy { $0 < $1 }
        }
    }

    /// Of each last-event feature, by its name.
    public let features: [String: Spread]
    public let chance: Spread

    /// - Parameter chances: the model's, of each question.
    public init(_ queries: QuerySet, chances: [Double]) {
        var features: [String: Spread] = [:]
        for (place, name) in FeatureSchema.lastEventNames.enumerated() {
            features[name] = Spread(Self.column(queries, place))
        }
        self.features = features
        chance = Spread(chances.map(Float.init))
    }

    private static func column(_ queries: QuerySet, _ place: Int) -> [Float] {
        (0..<queries.count).map { queries.lastEventFeatures[$0 * FeatureSchema.lastEventCount + place] }
    }

    /// How far other questions lie from these: of each feature, and of the chances as `chance`.
    public func drift(_ queries: QuerySet, chances: [Double]) -> [String: Double] {
        var found = ["chance": chance.stabilityIndex(of: chances.map(Float.init))]
        for (place, name) in FeatureSchema.lastEventNames.enumerated() {
            if let own = features[name] { found[name] = own.stabilityIndex(of: Self.column(queries, place)) }
        }
        return found
    }

    /// Whether this can be what was written.
    var isSound: Bool { features.count <= 1_000 && features.values.allSatisfy(\.isSound) && chance.isSound }
}

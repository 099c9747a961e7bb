import Foundation
import Torch
import WaneEvents
import WaneModels
import WaneState
import WaneTasks

/// The textbook recipe's four inputs: day, month and year of the query, and the engagement of the last touch, which is
/// its duration as a percentile where the log has durations.
public struct BasicInputs {
    public static let width = 4
    /// `[rows, 4]`, row by row.
    public let values: [Float]

    public init(_ rows: [(moment: Int64, engagement: Float)]) {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        var days: [Int64: (Float, Float, Float)] = [:]
        var values: [Float] = []
        values.reserveCapacity(rows.count * Self.width)
        for (moment, engagement) in rows {
            let day = moment / (86_400 * EventLog.second)
            let date =
                days[day]
                ?? {
                    let parts = calendar.dateComponents(
                        [.day, .month, .year], from: Date(timeIntervalSince1970: Double(day) * 86_400))
                    return (Float(parts.day ?? 0), Float(parts.month ?? 0), Float(parts.year ?? 0))
                }()
            days[day] = date
            values.append(contentsOf: [date.0, date.1, date.2, engagement])
        }
        self.values = values
    }

    public init(_ queries: QuerySet) {
        let column = FeatureSchema.lastEventIndex("last_engagement") ?? 0
        let width = FeatureSchema.lastEventCount
        self.init((0..<queries.count).map { (queries.moment[$0], queries.lastEventFeatures[$0 * width + column]) })
    }

    /// `[rows, 4]`.
    public func scaled(_ scaling: FeatureScaling) throws(TorchError) -> Tensor {
        let raw = try Tensor(values, shape: [values.count / Self.width, Self.width])
        return try (raw - Tensor(scaling.mean)) / Tensor(scaling.deviation)
    }
}

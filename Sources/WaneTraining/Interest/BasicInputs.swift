import Foundation
import Torch
import WaneData
import WaneModels

/// The textbook recipe's four inputs: day, month and year of the query, and the last touch's duration.
struct BasicInputs {
    static let width = 4
    /// `[rows, 4]`, row by row.
    let values: [Float]

    init(_ queries: QuerySet, _ histories: Histories) {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        var days: [Int64: (Float, Float, Float)] = [:]
        var values: [Float] = []
        values.reserveCapacity(queries.count * Self.width)
        for row in 0..<queries.count {
            let day = queries.moment[row] / (86_400 * EventLog.second)
            let date =
                days[day]
                ?? {
                    let parts = calendar.dateComponents(
                        [.day, .month, .year], from: Date(timeIntervalSince1970: Double(day) * 86_400))
                    return (Float(parts.day ?? 0), Float(parts.month ?? 0), Float(parts.year ?? 0))
                }()
            days[day] = date
            let touch = histories.lastTouch(of: queries.pair[row], at: queries.moment[row])
            let duration =
                touch.flatMap { touch in histories.log.duration.map { $0[Int(histories.touches[touch])] } } ?? 0
            values.append(contentsOf: [date.0, date.1, date.2, duration.isNaN ? 0 : duration])
        }
        self.values = values
    }

    func scaled(_ scaling: FeatureScaling) throws(TorchError) -> Tensor {
        let raw = try Tensor(values, shape: [values.count / Self.width, Self.width])
        return try (raw - Tensor(scaling.mean)) / Tensor(scaling.deviation)
    }
}

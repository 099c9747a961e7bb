import WaneEvents

/// What the buy-till-you-die models read of a customer: `x` repeat purchases, the last of them at `tx`, in
/// `t` units of time since the first purchase.
public struct CustomerSummary: Sendable, Equatable {
    public let x: Double
    public let tx: Double
    public let t: Double

    public init(x: Double, tx: Double, t: Double) {
        self.x = x
        self.tx = tx
        self.t = t
    }

    /// Customers by user number as of `until`; purchases on one day count once.
    ///
    /// - Parameters:
    ///   - log: sorted by person and time.
    ///   - unit: microseconds in one unit of time.
    public static func summaries(
        _ log: EventLog, until: Int64, unit: Double = 7 * 86_400e6
    ) -> [(user: UInt32, customer: CustomerSummary)] {
        let day: Int64 = 86_400 * EventLog.second
        var result: [(user: UInt32, customer: CustomerSummary)] = []
        var index = 0
        while index < log.count {
            let user = log.user[index]
            let first = log.time[index] / day
            var last = first
            var count = 0.0
            while index < log.count, log.user[index] == user {
                let today = log.time[index] / day
                if today > last, today * day <= until {
                    last = today
                    count += 1
                }
                index += 1
            }
            guard first * day <= until else { continue }
            result.append(
                (
                    user,
                    CustomerSummary(
                        x: count, tx: Double((last - first) * day) / unit,
                        t: Double(until - first * day) / unit)
                ))
        }
        return result
    }
}

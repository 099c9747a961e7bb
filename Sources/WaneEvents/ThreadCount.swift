import Foundation

/// How many threads there is room for.
public enum ThreadCount {
    /// Processors that this process may run on: those it is bound to, and no more than its control groups grant it time for.
    public static let available: Int = max(1, min(bound, granted() ?? .max))

    private static var bound: Int {
        let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        return allowed(in: status ?? "") ?? ProcessInfo.processInfo.activeProcessorCount
    }

    /// How many processors a process may run on, from its `/proc/self/status`: a line such as `Cpus_allowed_list: 0-3,8`.
    static func allowed(in status: String) -> Int? {
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed_list:") }) else {
            return nil
        }
        var count = 0
        for range in line.dropFirst("Cpus_allowed_list:".count).split(separator: ",") {
            let ends = range.split(separator: "-").map { Int($0.trimmingCharacters(in: .whitespaces)) }
            guard let low = ends.first ?? nil, let high = ends.last ?? nil, high >= low, high < 1 << 20 else {
                return nil
            }
            count += high - low + 1
        }
        return count > 0 ? count : nil
    }

    /// Processors' worth of time that control groups leave, rounded up; nothing where they set no limit.
    ///
    /// - Parameter root: where their files lie; `own` the process's groups, as `/proc/self/cgroup` has them.
    static func granted(
        root: String = "/sys/fs/cgroup",
        own: String? = try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)
    ) -> Int? {
        func read(_ path: String) -> String? {
            (try? String(contentsOfFile: path, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        func count(_ quota: Double?, _ period: Double?) -> Int? {
            guard let quota, let period, quota > 0, period > 0, quota / period < 1e6 else { return nil }
            return Int((quota / period).rounded(.up))
        }
        var least: Int?
        for line in (own ?? "").split(separator: "\n") {
            // "0::/a/b" of the second version; "4:cpu,cpuacct:/a/b" of the first.
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let isSecond = parts[1].isEmpty
            guard isSecond || parts[1].split(separator: ",").contains("cpu") else { continue }
            let base = isSecond ? root : root + "/cpu"
            // A limit counts for all groups below it.
            var names = parts[2].split(separator: "/").map(String.init)
            while true {
                let folder = ([base] + names).joined(separator: "/")
                var found: Int?
                if isSecond {
                    let words = read(folder + "/cpu.max")?.split(separator: " ") ?? []
                    if words.count == 2 { found = count(Double(words[0]), Double(words[1])) }
                } else {
                    found = count(
                        read(folder + "/cpu.cfs_quota_us").flatMap { Double($0) },
                        read(folder + "/cpu.cfs_period_us").flatMap { Double($0) })
                }
                if let found { least = min(least ?? found, found) }
                if names.isEmpty { break }
                names.removeLast()
            }
        }
        return least
    }
}

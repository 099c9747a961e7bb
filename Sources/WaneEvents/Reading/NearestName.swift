/// Which of several names may have been meant by one that is none of them.
public enum NearestName {
    /// `; is duration meant?`, or nothing where none is near.
    public static func hint(_ name: String, among known: some Sequence<String>) -> String {
        let best = known.map { (distance: distance(Array(name), Array($0)), name: $0) }.min { $0 < $1 }
        return best.flatMap { $0.distance <= 3 ? "; is \($0.name) meant?" : nil } ?? ""
    }

    /// Letters to be put in, taken out or changed (Levenshtein 1966).
    private static func distance(_ a: [Character], _ b: [Character]) -> Int {
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let change = diagonal + (x == y ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(change, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[b.count]
    }
}

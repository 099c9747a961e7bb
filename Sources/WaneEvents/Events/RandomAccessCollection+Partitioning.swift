extension RandomAccessCollection {
    /// The first place whose element satisfies `predicate`, in a collection that is false then true.
    ///
    /// - Complexity: O(log n)
    @inlinable @inline(__always)
    public func partitioningIndex(where predicate: (Element) -> Bool) -> Index {
        var low = startIndex
        var left = count
        while left > 0 {
            let half = left / 2
            let middle = index(low, offsetBy: half)
            if predicate(self[middle]) {
                left = half
            } else {
                low = index(after: middle)
                left -= half + 1
            }
        }
        return low
    }
}

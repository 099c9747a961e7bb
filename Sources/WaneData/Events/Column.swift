#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A growing column of plain numbers that never copies itself to grow.
///
/// `realloc` moves large blocks by remapping their pages, so a column of unknown length peaks at its own
/// size, where an array that doubles peaks at three times that. Shared like a class once built; only the
/// reader that makes it appends.
public final class Column<Element: BitwiseCopyable & Sendable> {
    private var base: UnsafeMutablePointer<Element>
    private var capacity: Int
    public private(set) var count = 0

    public init(capacity: Int = 1_024) {
        self.capacity = max(1, capacity)
        base = Self.reallocated(nil, capacity: self.capacity)
    }

    public convenience init(_ elements: some Collection<Element>) {
        self.init(capacity: elements.count)
        for element in elements { append(element) }
    }

    deinit { free(base) }

    @inline(__always)
    public func append(_ element: Element) {
        if count == capacity { grow() }
        base[count] = element
        count &+= 1
    }

    private func grow() {
        // Once a column is large, an eighth more at a time: untouched pages cost nothing, copies do.
        capacity += capacity < 1 << 16 ? capacity : capacity / 8
        base = Self.reallocated(base, capacity: capacity)
    }

    private static func reallocated(
        _ old: UnsafeMutablePointer<Element>?, capacity: Int
    ) -> UnsafeMutablePointer<Element> {
        let bytes = capacity * MemoryLayout<Element>.stride
        guard let moved = realloc(old, bytes) else {
            preconditionFailure("the machine has no memory left for a column of \(bytes) bytes")
        }
        return moved.assumingMemoryBound(to: Element.self)
    }

    /// Gives back what growth reserved beyond the elements.
    public func trim() {
        guard count < capacity, count > 0 else { return }
        base = Self.reallocated(base, capacity: count)
        capacity = count
    }

    @inline(__always)
    public subscript(place: Int) -> Element {
        get {
            precondition(place >= 0 && place < count, "place \(place) of a column of \(count)")
            return base[place]
        }
        set {
            precondition(place >= 0 && place < count, "place \(place) of a column of \(count)")
            base[place] = newValue
        }
    }

    public var values: UnsafeBufferPointer<Element> { UnsafeBufferPointer(start: base, count: count) }

    /// The elements at `order`, as a new column.
    func gathered(_ order: [UInt32]) -> Column {
        let result = Column(capacity: order.count)
        for place in order { result.append(self[Int(place)]) }
        return result
    }
}

/// Columns are written by one reader and then only read.
extension Column: @unchecked Sendable {}

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A column of plain numbers that no longer changes; a value, cheap to copy, safe to share.
public struct Column<Element: BitwiseCopyable & Sendable>: Sendable, RandomAccessCollection {
    private let storage: Storage
    public let count: Int

    /// The memory behind all copies of a column. Written before it is shared and never after, which is what makes
    /// sharing it between threads safe.
    private final class Storage: @unchecked Sendable {
        let base: UnsafeMutablePointer<Element>
        init(_ base: UnsafeMutablePointer<Element>) { self.base = base }
        deinit { free(base) }
    }

    fileprivate init(taking base: UnsafeMutablePointer<Element>, count: Int) {
        storage = Storage(base)
        self.count = count
    }

    public init(_ elements: some Collection<Element>) {
        let builder = ColumnBuilder<Element>(capacity: elements.count)
        for element in elements { builder.append(element) }
        self = builder.finish()
    }

    @inline(__always)
    public subscript(index: Int) -> Element {
        precondition(index >= 0 && index < count, "index \(index) of a column of \(count)")
        return storage.base[index]
    }

    public var startIndex: Int { 0 }
    public var endIndex: Int { count }

    public func withContiguousStorageIfAvailable<Result>(
        _ body: (UnsafeBufferPointer<Element>) throws -> Result
    ) rethrows -> Result? {
        try body(UnsafeBufferPointer(start: storage.base, count: count))
    }

    /// The elements as bytes, for as long as `body` runs.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try body(UnsafeRawBufferPointer(UnsafeBufferPointer(start: storage.base, count: count)))
    }

    /// The elements at `order`, as a new column.
    func gathered(_ order: [UInt32]) -> Column {
        let builder = ColumnBuilder<Element>(capacity: order.count)
        for index in order { builder.append(self[Int(index)]) }
        return builder.finish()
    }
}

/// A growing column that never copies itself to grow.
///
/// `realloc` moves large blocks by remapping their pages, so a column of unknown length peaks at its own
/// size, where an array that doubles peaks at three times that. One reader fills it and then takes the
/// frozen ``Column``.
public final class ColumnBuilder<Element: BitwiseCopyable & Sendable> {
    private var base: UnsafeMutablePointer<Element>
    private var capacity: Int
    public private(set) var count = 0

    public init(capacity: Int = 1_024) {
        self.capacity = max(1, capacity)
        base = Self.reallocated(nil, capacity: self.capacity)
    }

    deinit { free(base) }

    @inline(__always)
    public func append(_ element: Element) {
        if count == capacity { grow() }
        base[count] = element
        count &+= 1
    }

    func append(_ elements: UnsafePointer<Element>, count more: Int) {
        reserve(more)
        (base + count).update(from: elements, count: more)
        count &+= more
    }

    /// All elements of another column behind those that there are.
    func append(contentsOf other: ColumnBuilder) {
        append(other.base, count: other.count)
    }

    /// Elements that `fill` puts in place; none where it says that it could not.
    func append(count more: Int, _ fill: (UnsafeMutablePointer<Element>) -> Bool) -> Bool {
        reserve(more)
        guard fill(base + count) else { return false }
        count &+= more
        return true
    }

    /// All elements of another column, each as `places` has it, which is asked to make a place where it has none.
    func append(
        contentsOf other: ColumnBuilder<UInt32>, places: inout [UInt32], make: (UInt32) -> UInt32
    ) where Element == UInt32 {
        reserve(other.count)
        for index in 0..<other.count {
            let number = other.base[index]
            // The largest number stands for none.
            guard number != .max else {
                base[count &+ index] = .max
                continue
            }
            if Int(number) >= places.count {
                places.append(contentsOf: repeatElement(.max, count: Int(number) + 1 - places.count))
            }
            var place = places.withUnsafeBufferPointer { $0[Int(number)] }
            if place == .max {
                place = make(number)
                places[Int(number)] = place
            }
            base[count &+ index] = place
        }
        count &+= other.count
    }

    /// Lets go of all elements and keeps the room.
    func removeAll() { count = 0 }

    private func reserve(_ more: Int) { while capacity < count + more { grow() } }

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

    @inline(__always)
    public subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < count, "index \(index) of a column of \(count)")
            return base[index]
        }
        set {
            precondition(index >= 0 && index < count, "index \(index) of a column of \(count)")
            base[index] = newValue
        }
    }

    /// Puts `places[element]` in each element's place.
    func renumber(_ places: [UInt32]) where Element == UInt32 {
        places.withUnsafeBufferPointer { places in
            for index in 0..<count where base[index] != .max {
                precondition(base[index] < places.count, "number \(base[index]) of \(places.count)")
                base[index] = places[Int(base[index])]
            }
        }
    }

    /// The column, with what growth reserved given back; the builder is empty afterwards.
    public func finish() -> Column<Element> {
        let filled = Self.reallocated(base, capacity: max(1, count))
        let column = Column(taking: filled, count: count)
        capacity = 1
        base = Self.reallocated(nil, capacity: 1)
        count = 0
        return column
    }
}

// From the fields of a row to values in the columns.

extension RowBuilder {
    /// One row that the fast path read: all of it at once.
    @inline(__always)
    func take(
        user userNumber: UInt32, item itemNumber: UInt32, time moment: Int64, _ form: WrittenTime.Form,
        duration seconds: Double, weight rating: Double, topic: UnsafeRawBufferPointer, type: UnsafeRawBufferPointer
    ) {
        user.append(userNumber)
        item.append(itemNumber)
        time.append(moment, form)
        duration?.append(Float(seconds))
        weight?.append(Float(rating))
        if let eventType { eventType.append(type.isEmpty ? .max : eventTypes.number(type)) }
        noteTopic(topic.isEmpty ? nil : topic, item: itemNumber)
        report.accepted &+= 1
    }

    @inline(__always)
    private func noteTopic(_ text: UnsafeRawBufferPointer?, item itemNumber: UInt32) {
        if let topics {
            topics.append(text, item: itemNumber, row: user.count &- 1, items: item)
        } else if let part {
            part.noteTopic(text)
        }
    }

    /// Rows that the fast path took, a line each.
    func noteLines(rows count: Int, line: Int) { lines.append(rows: count, from: user.count - count, line: line) }

    /// Reads one row; `field` gives the bytes of a column, or nothing where the row has none.
    func add(
        line: Int, field: (Int) -> UnsafeRawBufferPointer?, text: @autoclosure () -> String
    ) throws(LogError) {
        do throws(RejectedRow) {
            if try append(line: line, field: field) { report.accepted += 1 } else { countPassedOver() }
        } catch {
            try reject(error, text: text())
        }
    }

    /// - Returns: false for a row of a person that is not wanted.
    private func append(line: Int, field: (Int) -> UnsafeRawBufferPointer?) throws(RejectedRow) -> Bool {
        func value(_ role: ColumnRole) -> UnsafeRawBufferPointer? {
            guard let index = schema.index(role) else { return nil }
            if let constant = constants[index] { return constant.isEmpty ? nil : constant }
            guard let bytes = field(index), !bytes.isEmpty else { return nil }
            return bytes
        }
        func fault(_ role: ColumnRole, _ reason: RejectedRow.Reason) -> RejectedRow {
            RejectedRow(line: line, column: schema.name(role), reason: reason)
        }
        func name(_ role: ColumnRole) throws(RejectedRow) -> UnsafeRawBufferPointer {
            guard let bytes = value(role) else { throw fault(role, .missingValue) }
            guard bytes.isUTF8 else { throw fault(role, .invalidUTF8) }
            return bytes
        }
        func number(_ role: ColumnRole) throws(RejectedRow) -> Double {
            guard let bytes = value(role) else { return .nan }
            let hasComma = hasDecimalComma(role)
            if let plain = hasComma ? PlainNumber.withComma(bytes) : PlainNumber.parse(bytes) { return plain }
            let text = String(decoding: bytes, as: UTF8.self)
            guard !hasComma, let number = Double(text), abs(number) < 3e38 else {
                if Self.noNumbers.contains(text.lowercased()) { return .nan }
                throw fault(role, hasComma ? .noDecimalComma(text) : .unreadableNumber(text))
            }
            return number
        }
        func moment(_ role: ColumnRole, clock: UnsafeRawBufferPointer? = nil) throws(RejectedRow) -> WrittenTime {
            guard let bytes = value(role) else { throw fault(role, .missingValue) }
            let written: WrittenTime?
            if let clock {
                // An hour alone is its first minute.
                let isHour = clock.count <= 2 && clock.allSatisfy { $0 &- 0x30 < 10 }
                let both = Array(bytes) + [0x20] + Array(clock) + (isHour ? Array(":00".utf8) : [])
                written = both.withUnsafeBytes { WrittenTime($0) }
                if written == nil {
                    throw fault(role, .unreadableTime(String(decoding: both.prefix(60), as: UTF8.self)))
                }
            } else {
                written = WrittenTime(bytes)
            }
            guard let written, options.timeFormat.takes(written.form) else {
                throw fault(role, .unreadableTime(String(decoding: bytes.prefix(60), as: UTF8.self)))
            }
            // A number of more digits than any time has.
            if written.form == .integer, written.raw == .max || written.raw == .min {
                throw fault(role, .timeOutOfRange(String(decoding: bytes.prefix(60), as: UTF8.self)))
            }
            return written
        }

        // Everything is read before anything is kept.
        let userName = onlyUser == nil ? try name(.user) : nil
        if let wanted, !(userName.map { $0.elementsEqual(wanted) } ?? (onlyUser?.name == wanted)) { return false }
        // Where topics are the only items there are, a row without one is of the unknown topic.
        let isTopic = schema.index(.item) == schema.index(.topic)
        let itemName = schema.index(.item) == nil || (isTopic && value(.item) == nil) ? nil : try name(.item)
        var written: WrittenTime?
        if schema.index(.time) != nil {
            let clock = schema.index(.clock) == nil ? nil : value(.clock)
            if schema.index(.clock) != nil, clock == nil { throw fault(.clock, .missingValue) }
            written = try moment(.time, clock: clock)
        }
        let end = ends == nil || value(.end) == nil ? nil : try moment(.end)
        let seconds = try length(value(.duration), fault)
        if seconds < 0 { throw fault(.duration, .negativeDuration(seconds)) }
        if seconds > Self.longestDuration { throw fault(.duration, .enormousDuration(seconds)) }
        let rating = try number(.weight)
        let degree = try number(.label)
        if degree < 0 || degree > 1 { throw fault(.label, .labelOutOfRange(degree)) }
        let typeName = value(.eventType) == nil ? nil : try name(.eventType)
        let topicText = value(.topic)
        if let topicText, !topicText.isUTF8 { throw fault(.topic, .invalidUTF8) }
        if let eventIDs, let id = value(.eventID) {
            let before = eventIDs.count
            if Int(eventIDs.number(id)) < before {
                throw fault(.eventID, .duplicateEvent(String(decoding: id, as: UTF8.self)))
            }
        }

        let userNumber = userName.map(users.number) ?? onlyUser?.number ?? 0
        let itemNumber = itemName.map(items.number) ?? onlyItem ?? items.number(of: ItemTopics.unknownName)
        user.append(userNumber)
        item.append(itemNumber)
        if let written { time.append(written) } else { positions.append(nextPosition(userNumber)) }
        if let ends { ends.append(end ?? WrittenTime(.instant, Self.noTime)) }
        duration?.append(Float(seconds))
        weight?.append(Float(rating))
        label?.append(Float(degree))
        if let eventType { eventType.append(typeName.map(eventTypes.number) ?? .max) }
        noteTopic(topicText, item: itemNumber)
        lines.append(row: user.count - 1, line: line)
        return true
    }

    /// Whether the row at hand has a text in a column of numbers that are written with decimal commas: a number of JSON or of
    /// Parquet is a number.
    private func hasDecimalComma(_ role: ColumnRole) -> Bool {
        options.decimalComma && !(schema.index(role).flatMap { isTypedNumber?($0) } ?? false)
    }

    /// What stands where a number is missing.
    private static let noNumbers: Set<String> = ["nan", "na", "null", "none"]

    /// A duration in seconds: a number of units, or `h:mm:ss`.
    private func length(
        _ bytes: UnsafeRawBufferPointer?, _ fault: (ColumnRole, RejectedRow.Reason) -> RejectedRow
    ) throws(RejectedRow) -> Double {
        guard let bytes else { return .nan }
        let hasComma = hasDecimalComma(.duration)
        if let plain = hasComma ? PlainNumber.withComma(bytes) : PlainNumber.parse(bytes) {
            return plain * durationUnit
        }
        let text = String(decoding: bytes, as: UTF8.self)
        if !hasComma, let number = Double(text), number.isFinite { return number * durationUnit }
        if Self.noNumbers.contains(text.lowercased()) { return .nan }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count == 3, let hours = Int(parts[0]), let minutes = Int(parts[1]), let seconds = Double(parts[2]),
            hours >= 0, hours < 1_000_000, (0..<60).contains(minutes), seconds >= 0, seconds < 60
        {
            return Double(hours * 3_600 + minutes * 60) + seconds
        }
        throw fault(.duration, hasComma ? .noDecimalComma(text) : .unreadableDuration(text))
    }

    private func nextPosition(_ user: UInt32) -> Int64 {
        while lastPosition.count <= Int(user) { lastPosition.append(0) }
        lastPosition[Int(user)] += EventLog.second
        return lastPosition[Int(user)]
    }
}

// From the columns of all rows to the log, and what a person should know of them.

extension RowBuilder {
    /// Lets all histories end at one moment: positions have no common clock, and counted from the beginning only
    /// the longest histories would reach a test part. Gaps and ages are differences, so nothing else changes.
    private func aligned() -> Column<Int64> {
        let longest = lastPosition.max() ?? 0
        for index in 0..<positions.count { positions[index] += longest - lastPosition[Int(user[index])] }
        return positions.finish()
    }

    /// The log and what became of its rows.
    func finish() throws(LogError) -> (EventLog, ReadingReport) {
        guard user.count > 0 else {
            try rejects?.close()
            if let name = options.onlyUser, report.passedOver > 0, ownFaults == 0 {
                throw .noSuchUser(file: file, name: name)
            }
            if report.rejectedCount == 0 { throw .headerOnly(file: file) }
            if schema.index(.user) == nil, onlyUser == nil {
                throw .missingColumn(file: file, column: "UserID", found: schema.names)
            }
            throw .nothingRead(file: file, rejected: report.rejectedCount, examples: report.examples)
        }
        let hasTimes = schema.index(.time) != nil
        let lines = lines
        var faults: [Int: RejectedRow] = [:]
        for row in 0..<rowsWithoutItem {
            faults[row] = RejectedRow(
                line: lines.line(of: row), column: schema.name(.item), reason: .missingValue, file: file(ofRow: row))
        }
        forgetEmptyColumns()
        let times: Column<Int64>
        if hasTimes {
            let column = schema.name(.time)
            let resolved = try time.finish(
                format: options.timeFormat, preferred: options.preferredTimes, zone: options.timeZone, file: file,
                column: column, line: lines.line)
            times = resolved.times
            report.times = resolved.reading.words
            report.preferredTimes = resolved.reading.preferred
            report.warnings += resolved.reading.notes
            if resolved.reading.words.count > 1 {
                report.warnings.append(
                    "times are written in several forms: " + resolved.reading.words.joined(separator: ", "))
            }
            for (row, reason) in resolved.faults {
                faults[row] = RejectedRow(
                    line: lines.line(of: row), column: column, reason: reason, file: file(ofRow: row))
            }
            try addDurations(times, &faults)
        } else {
            times = aligned()
        }
        for row in faults.keys.sorted() {
            guard let fault = faults[row] else { continue }
            report.accepted -= 1
            try reject(fault, text: "")
        }
        try rejects?.close()
        guard user.count > faults.count else {
            throw .nothingRead(file: file, rejected: report.rejectedCount, examples: report.examples)
        }
        report.unusedColumns = schema.unused
        noteColumns(hasTimes)
        keepUnitNote()
        report.warnings += unitNotes
        if !objectLists.isEmpty {
            report.warnings.append(
                "lists of objects are not read: \(objectLists.sorted().joined(separator: ", ")); lists of texts or numbers are"
            )
        }
        // Numbers follow names, so that rows in another order are the same log.
        let users = users.finishInOrder()
        user.renumber(users.places)
        let items = items.finishInOrder()
        self.item.renumber(items.places)
        let eventTypes = eventTypes.finishInOrder()
        eventType?.renumber(eventTypes.places)
        let item = item.finish()
        let decided: ItemTopics
        var rowTopics: RowTopics?
        if let topics {
            report.warnings += topics.notes(events: item.count, separator: options.topicSeparator)
            (decided, rowTopics) = topics.finish(item: item, itemPlaces: items.places, without: faults)
        } else if schema.index(.item) == nil {
            decided = .single(items.vocabulary.count)
        } else {
            // Not yet decided: see `TopicChooser`.
            decided = ItemTopics(names: Vocabulary(), byItem: [], source: .coVisitation)
        }
        let types = eventType?.finish()
        var log = EventLog(
            users: users.vocabulary, items: items.vocabulary, user: user.finish(), item: item, time: times,
            duration: duration?.finish(), weight: try weights(types, eventTypes.vocabulary), label: label?.finish(),
            eventType: types, eventTypes: eventTypes.vocabulary, topics: decided, rowTopics: rowTopics,
            clock: hasTimes ? .wall : .position)
        let shown = shownRows(types, eventTypes.vocabulary, faults)
        if !shown.isEmpty { report.exposureTypes = eventTypes.vocabulary.names.filter(isExposure) }
        if !faults.isEmpty || !shown.isEmpty || mayHaveUnusedNames {
            let all = log
            log = log.without(rows: faults.keys, shown: shown)
            if log.count == 0 { throw .onlyExposures(file: file, rows: shown.count, types: report.exposureTypes) }
            if !shown.isEmpty, !hasTimes { log = log.renumberedPositions() }
            let people = Set(shown.lazy.map { all.user[$0] })
            noteExposures(log, rows: shown.count, others: people.count { log.users.find(all.users[Int($0)]) == nil })
        }
        noteNames(log)
        return (log, report)
    }

    /// A column in which no row has a value is none: nothing is measured by it.
    private func forgetEmptyColumns() {
        func isEmpty(_ column: ColumnBuilder<Float>?) -> Bool {
            guard let column else { return false }
            return (0..<column.count).allSatisfy { column[$0].isNaN }
        }
        for (role, empty) in [
            (ColumnRole.duration, isEmpty(duration) && ends == nil), (.weight, isEmpty(weight)),
            (.label, isEmpty(label)),
        ] where empty {
            report.warnings.append("column \(schema.name(role)) has no value in any row")
            switch role {
            case .duration: duration = nil
            case .weight: weight = nil
            default: label = nil
            }
        }
    }

    /// Durations from beginnings to ends, where the file has those.
    private func addDurations(_ times: Column<Int64>, _ faults: inout [Int: RejectedRow]) throws(LogError) {
        guard let ends else { return }
        let column = schema.name(.end)
        let resolved = try ends.finish(
            format: options.timeFormat, preferred: options.preferredTimes, zone: options.timeZone, file: file,
            column: column, line: lines.line)
        let bad = Dictionary(resolved.faults.map { ($0.row, $0.reason) }) { first, _ in first }
        let durations = ColumnBuilder<Float>(capacity: times.count)
        for row in 0..<times.count {
            let said = duration.map { $0[row] } ?? .nan
            guard said.isNaN, bad[row] != .missingValue, faults[row] == nil else {
                durations.append(said)
                continue
            }
            let seconds = Double(resolved.times[row]) / 1e6 - Double(times[row]) / 1e6
            let reason: RejectedRow.Reason? =
                bad[row]
                ?? (seconds < 0
                    ? .negativeDuration(seconds) : seconds > Self.longestDuration ? .enormousDuration(seconds) : nil)
            if let reason {
                faults[row] = RejectedRow(
                    line: lines.line(of: row), column: column, reason: reason, file: file(ofRow: row))
            }
            durations.append(Float(seconds))
        }
        duration = durations
    }

    /// What a person should know of how the columns were understood.
    private func noteColumns(_ hasTimes: Bool) {
        if !hasTimes {
            let unused = report.unusedColumns
            report.warnings.append(
                "no times: the position in each person's history stands in for time"
                    + (unused.isEmpty
                        ? ""
                        : "; columns not used: \(unused.joined(separator: ", ")) (if one is the time: --map Time=COLUMN)")
            )
        }
        if options.map[.eventID] == nil, let index = schema.index(.eventID),
            ColumnName(schema.names[index]).bare == "id"
        {
            report.warnings.append(
                "column \(schema.names[index]) is taken for the event's id, so a row whose id was read before is set aside; "
                    + "--map EventID= takes it for nothing")
        }
    }

    /// Whether events of a type are none of engagement: by a weight of 0, or by the name where no weight is given.
    private func isExposure(_ type: String) -> Bool {
        options.eventWeights[type].map { $0 == 0 } ?? Exposures.isOne(type)
    }

    /// The rows that say what people were shown, not what they did.
    private func shownRows(
        _ types: Column<UInt32>?, _ names: Vocabulary, _ faults: [Int: RejectedRow]
    ) -> [Int] {
        let isShown = names.names.map(isExposure)
        guard !options.keepsExposures, let types, isShown.contains(true) else { return [] }
        return types.indices.filter { types[$0] != .max && isShown[Int(types[$0])] && faults[$0] == nil }
    }

    /// - Parameter others: people of whom there is nothing else.
    private func noteExposures(_ log: EventLog, rows: Int, others: Int) {
        guard rows > 0 else { return }
        let types = report.exposureTypes.prefix(5).joined(separator: ", ")
        let example = report.exposureTypes.first ?? "impression"
        report.exposures = rows
        report.warnings.append(
            "\(rows) rows are of what people were shown, not of what they did (\(types)): no touches, "
                + (log.clock == .wall ? "a volume that may wear interest out" : "and left out of a log of order")
                + "; --event-weights \(example)=0.1 makes them engagement")
        if others > 0 { report.warnings.append("\(others) people were only shown things, and are left out") }
    }

    /// Names that stand for nobody, and names of the same number.
    private func noteNames(_ log: EventLog) {
        for (names, what) in [(log.users, "users"), (log.items, "items")] {
            let doubled = names.names.filter { $0.hasSuffix(".0") && names.find(String($0.dropLast(2))) != nil }
            guard let first = doubled.first else { continue }
            report.warnings.append(
                "\(doubled.count) \(what) are written in two ways and count as two each, such as \(first.dropLast(2)) and \(first)"
            )
        }
        let nobody: Set<String> = ["null", "na", "n/a", "none", "nan", "-", "undefined", "unknown", "(null)", "\\n"]
        let suspects = log.users.names.enumerated().filter { nobody.contains($0.element.lowercased()) }
        guard !suspects.isEmpty else { return }
        var counts = [Int](repeating: 0, count: log.users.count)
        for user in log.user { counts[Int(user)] += 1 }
        for (user, name) in suspects where counts[user] > 0 {
            report.warnings.append(
                "\(counts[user]) of \(log.count) events are of a user called \"\(name)\": one person to the models; take those "
                    + "rows out if they are of nobody")
        }
    }

    /// The weight column, or weights by type of event where the options give them.
    private func weights(
        _ types: Column<UInt32>?, _ eventTypes: Vocabulary
    ) throws(LogError) -> Column<Float>? {
        if !options.eventWeights.isEmpty, !options.mayLackEventTypes, types == nil {
            throw .options("--event-weights: the log has no EventType column; name it with --map EventType=COLUMN")
        }
        if !options.eventWeights.isEmpty, !options.mayLackEventTypes, weight != nil {
            throw .options(
                "--event-weights, and the log has weights of its own in \(schema.name(.weight)): --map Weight= takes those for nothing, "
                    + "or leave the option out")
        }
        guard weight == nil, let types, !options.eventWeights.isEmpty else { return weight?.finish() }
        let known = eventTypes.names
        for (name, weight) in options.eventWeights {
            guard eventTypes.find(name) != nil || options.mayLackEventTypes else {
                throw .options(
                    "--event-weights names \"\(name)\", but the log has the types "
                        + known.prefix(10).joined(separator: ", "))
            }
            guard weight >= 0, weight <= 1 else {
                throw .options("--event-weights: \(name)=\(weight); weights lie in 0...1")
            }
        }
        let others = known.filter { options.eventWeights[$0] == nil && !isExposure($0) }
        if !others.isEmpty, !options.mayLackEventTypes {
            report.warnings.append(
                "types of events without a weight count 1: \(others.prefix(10).joined(separator: ", "))")
        }
        let untyped = types.count { $0 == .max }
        if untyped > 0 {
            report.warnings.append("\(untyped) rows have no type of event, and count 1")
        }
        let byType = known.map { options.eventWeights[$0] ?? 1 }
        return Column(types.map { $0 == .max ? 1 : byType[Int($0)] })
    }
}

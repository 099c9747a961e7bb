import Foundation
import Torch
import WaneBaselines
import WaneEvents
import WaneModels
import WaneState
import WaneTasks

/// `tables.safetensors`: what was counted, beside what was learned.
enum Tables {
    static func encode(_ bundle: ModelBundle) throws -> [String: Tensor] {
        var tables: [String: Tensor] = [:]
        let topics = bundle.vocabulary.itemTopics
        var starts: [Int64] = [0]
        var lists: [Int64] = []
        for item in 0..<bundle.vocabulary.items.count {
            lists += topics[UInt32(item)].map(Int64.init)
            starts.append(Int64(lists.count))
        }
        tables["item_topics.starts"] = try Tensor(starts)
        tables["item_topics.topics"] = try Tensor(lists)
        if bundle.scale.source == .duration {
            tables["engagement.durations"] = try Tensor(bundle.scale.durations)
            tables["engagement.item_durations"] = try Tensor(bundle.scale.itemDurations)
            tables["engagement.row_of_item"] = try Tensor(bundle.scale.rowOfItem.map(Int64.init))
        }
        tables["popularity.touches"] = try Tensor(bundle.popularity.touches.map(Int64.init))
        tables["popularity.lately"] = try Tensor(bundle.popularity.latelyTouches.map(Int64.init))
        switch bundle.population {
        case .firstTouches(let touches):
            let width = FirstTouches.knots.count
            tables["population.first_touches"] = try Tensor(touches.rows, shape: [touches.rows.count / width, width])
            tables["population.degree"] = try Tensor([touches.degreeOfReturn])
        case .itemCounts(let counts): tables["population.item_counts"] = try Tensor(counts)
        case nil: break
        }
        if let smoothed = bundle.smoothed {
            tables["graph.items"] = try smoothed.vectors.detached()
            if let friends = smoothed.friends { tables["graph.friends"] = try friends.detached() }
        }
        if case .ranking(let model) = bundle.network, let companions = model.companions {
            for (name, table) in [("after", companions.after), ("together", companions.together)] {
                tables["companions.\(name).starts"] = try Tensor(table.starts.map(Int64.init))
                tables["companions.\(name).columns"] = try Tensor(table.columns.map(Int64.init))
                tables["companions.\(name).weights"] = try Tensor(table.weights)
            }
            tables["companions.totals"] = try Tensor(companions.afterTotals)
            tables["companions.people"] = try Tensor(companions.people)
        }
        for (number, member) in bundle.members.enumerated() {
            switch member.scores {
            case .counts(let counts): tables["blend.\(number).counts"] = try Tensor(counts)
            case .table(let table, _):
                tables["blend.\(number).starts"] = try Tensor(table.starts.map(Int64.init))
                tables["blend.\(number).columns"] = try Tensor(table.columns.map(Int64.init))
                tables["blend.\(number).weights"] = try Tensor(table.weights)
            }
        }
        return tables
    }

    /// What was read of a folder, checked against the vocabulary and the manifest.
    struct Decoded {
        let vocabulary: ModelVocabulary
        let scale: EngagementScale
        let popularity: Popularity
        let population: Population?
        let smoothed: SmoothedItems?
        let members: [BlendMember]
        let companions: ItemCompanions?
    }

    static func decode(
        _ tables: [String: Tensor], _ manifest: Manifest, items: Vocabulary, topics: Vocabulary
    ) throws -> Decoded {
        func check(_ ok: Bool, _ reason: String) throws { if !ok { throw ManifestError(reason) } }
        func table(_ name: String) throws -> Tensor {
            guard let tensor = tables[name] else { throw ManifestError("no table \(name)") }
            return tensor
        }
        func integers(_ name: String, below limit: Int = .max) throws -> [Int] {
            let values = try table(name).values(Int64.self)
            try check(values.allSatisfy { $0 >= 0 && $0 < Int64(limit) }, "a table \(name) with a number out of range")
            return values.map { Int($0) }
        }
        func numbers(_ name: String) throws -> [Float] {
            let values = try table(name).values(Float.self)
            try check(values.allSatisfy(\.isFinite), "a table \(name) with what is no number")
            return values
        }
        func starts(_ name: String, rows: Int, end: Int) throws -> [Int] {
            let starts = try integers(name)
            try check(
                starts.count == rows + 1 && starts.first == 0 && starts.last == end
                    && zip(starts, starts.dropFirst()).allSatisfy(<=), "a table \(name) that does not fit")
            return starts
        }
        try check(
            (0...items.count).contains(manifest.itemRows) && (0...topics.count).contains(manifest.topicRows),
            "more vectors than names")
        let lists = try integers("item_topics.topics", below: topics.count)
        let itemStarts = try starts("item_topics.starts", rows: items.count, end: lists.count)
        let vocabulary = ModelVocabulary(
            items: items, itemRows: manifest.itemRows, topics: topics, topicRows: manifest.topicRows,
            itemTopics: ItemTopics(
                names: topics,
                byItem: (0..<items.count).map { lists[itemStarts[$0]..<itemStarts[$0 + 1]].map(UInt32.init) },
                source: manifest.topicSource))

        let scale: EngagementScale
        if manifest.engagement.source == .duration {
            let durations = try numbers("engagement.durations")
            let own = try numbers("engagement.item_durations")
            let rows = try table("engagement.row_of_item").values(Int64.self)
            let count = own.count / EngagementScale.itemSteps
            try check(
                (durations.isEmpty || durations.count == EngagementScale.steps)
                    && own.count % EngagementScale.itemSteps == 0 && rows.count <= items.count
                    && rows.allSatisfy { $0 >= -1 && $0 < Int64(count) }, "quantiles of durations that do not fit")
            scale = EngagementScale(
                source: .duration, durations: durations, itemDurations: own, rowOfItem: rows.map { Int32($0) })
        } else {
            scale = EngagementScale(
                source: manifest.engagement.source, largestWeight: manifest.engagement.largestWeight)
        }

        let touches = try integers("popularity.touches", below: Int(UInt32.max))
        let lately = try integers("popularity.lately", below: Int(UInt32.max))
        try check(touches.count == topics.count && lately.count == topics.count, "counts of topics that do not fit")
        let popularity = Popularity(
            until: manifest.popularity.until, touches: touches.map { UInt32($0) },
            latelyTouches: lately.map { UInt32($0) }, events: manifest.popularity.events,
            latelyEvents: manifest.popularity.latelyEvents, topicCount: manifest.popularity.topics)

        var population: Population?
        if tables["population.first_touches"] != nil {
            let rows = try numbers("population.first_touches")
            let degree = try numbers("population.degree")
            try check(
                rows.count == (manifest.topicRows + 1) * FirstTouches.knots.count && rows.allSatisfy { $0 <= 1 }
                    && degree.count == 1 && (0...1).contains(degree[0]),
                "first touches of the population that do not fit")
            population = .firstTouches(FirstTouches(rows: rows, degreeOfReturn: degree[0]))
        } else if tables["population.item_counts"] != nil {
            let counts = try numbers("population.item_counts")
            try check(counts.count == manifest.itemRows, "counts of items that do not fit")
            population = .itemCounts(counts)
        }
        var smoothed: SmoothedItems?
        if let vectors = tables["graph.items"] {
            try check(
                vectors.shape.count == 2 && vectors.shape[0] == manifest.itemRows + 1,
                "smoothed vectors that do not fit")
            _ = try numbers("graph.items")
            let friends = tables["graph.friends"]
            if let friends {
                try check(
                    friends.shape.count == 2 && friends.shape[1] == vectors.shape[1],
                    "vectors of friends that do not fit")
            }
            smoothed = SmoothedItems(vectors: vectors, friends: friends)
        }
        var companions: ItemCompanions?
        if tables["companions.people"] != nil {
            let rows = manifest.itemRows + 1
            let (people, totals) = (try numbers("companions.people"), try numbers("companions.totals"))
            try check(
                people.count == rows && totals.count == rows && totals.allSatisfy { $0 >= 0 }
                    && people.allSatisfy { (0..<Float(1 << 24)).contains($0) && $0 == $0.rounded() },
                "counts of what goes together that do not fit")
            func sparse(_ name: String) throws -> SparseRows {
                let columns = try integers("companions.\(name).columns", below: rows)
                let weights = try numbers("companions.\(name).weights")
                try check(
                    columns.count == weights.count && weights.allSatisfy { $0 >= 0 },
                    "a table of what goes together that does not fit")
                return SparseRows(
                    starts: try starts("companions.\(name).starts", rows: rows, end: columns.count),
                    columns: columns.map { UInt32($0) }, weights: weights, columnCount: rows)
            }
            companions = ItemCompanions(
                after: try sparse("after"), afterTotals: totals, together: try sparse("together"), people: people)
        }
        var members: [BlendMember] = []
        for (number, member) in (manifest.blend?.members ?? []).enumerated() {
            try check(member.weight.isFinite, "a weight in the blend that is no number")
            if let halfLife = member.halfLife {
                try check(halfLife > 0 && halfLife.isFinite, "a half-life in the blend of \(halfLife)")
                let columns = try integers("blend.\(number).columns", below: manifest.itemRows)
                let weights = try numbers("blend.\(number).weights")
                try check(columns.count == weights.count, "a table of the blend that does not fit")
                let rows = try starts("blend.\(number).starts", rows: manifest.itemRows, end: columns.count)
                members.append(
                    BlendMember(
                        name: member.name, weight: member.weight,
                        scores: .table(
                            SparseRows(
                                starts: rows, columns: columns.map { UInt32($0) }, weights: weights,
                                columnCount: manifest.itemRows), halfLife: halfLife)))
            } else {
                let counts = try numbers("blend.\(number).counts")
                try check(counts.count == manifest.itemRows, "counts of the blend that do not fit")
                members.append(BlendMember(name: member.name, weight: member.weight, scores: .counts(counts)))
            }
        }
        return Decoded(
            vocabulary: vocabulary, scale: scale, popularity: popularity, population: population, smoothed: smoothed,
            members: members, companions: companions)
    }
}

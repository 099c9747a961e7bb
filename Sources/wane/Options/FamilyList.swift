import Foundation
import WaneModels

/// Families as commands take them: names separated by commas, or `all`.
enum FamilyList {
    /// - Parameter others: names that are no family of ``ModelFamilies`` but may be asked for.
    static func parse(_ text: String, others: [String] = []) throws -> [String] {
        let known = ModelFamilies.all.map(\.name)
        if text == "all" { return known }
        if text == "none" { return [] }
        return try text.split(separator: ",").map { part in
            let name = part.trimmingCharacters(in: .whitespaces)
            guard known.contains(name) || others.contains(name) else {
                throw ModelOptionsError.unknownFamily(name, known: known + others)
            }
            return name
        }
    }
}

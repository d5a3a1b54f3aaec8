//! The permissions of a route's role: the statements that its reads need, and no more.

use super::places::WIDTH;
use api::{Field, Index, Resource};
use std::fmt::Write as _;

/// The statement of a quota: the one write of a function.
pub(super) const COUNT: &str = "              - Sid: Count
                Effect: Allow
                Action: dynamodb:UpdateItem
                Resource: !GetAtt LimitsTable.Arn
                Condition:
                  StringEquals: {dynamodb:ReturnValues: UPDATED_NEW}
                  ForAllValues:StringEquals: {dynamodb:Attributes: [caller, window, used, expires]}
";

/// Returns the statements that the plans of a route need, as the contract test derives them.
pub(super) fn statements(resource: &Resource, is_list: bool, table: &str) -> String {
    let fixed = resource.fixed.iter().map(|(attribute, _)| *attribute);
    let fields: Vec<_> = resource.fields.iter().map(Field::attribute).chain(fixed).collect();
    let own = format!(" !GetAtt {table}.Arn\n");
    if !is_list {
        return statement("Get", "dynamodb:GetItem", &own, "SPECIFIC_ATTRIBUTES", &fields);
    }
    let indexes = resource.table.indexes;
    let keys = indexes
        .iter()
        .flat_map(|index| index.partition_attributes().iter().chain(index.range))
        .copied();
    let held = |name: &&str| {
        indexes.iter().any(|index| index.covers(&resource.table, name) || index.is_key(name))
    };
    let mut queried: Vec<_> = Vec::new();
    // What is hidden comes first.
    for name in
        keys.filter(|name| !fields.contains(name)).chain(fields.iter().copied().filter(held))
    {
        if !queried.contains(&name) {
            queried.push(name);
        }
    }
    let arn = |index: &Index| match index.name {
        Some(name) => format!("                  - !Sub ${{{table}.Arn}}/index/{name}\n"),
        None => format!("                  - !GetAtt {table}.Arn\n"),
    };
    let arns: String = indexes.iter().map(arn).collect();
    let list = statement(
        "List",
        "dynamodb:Query",
        &format!("\n{arns}"),
        "[SPECIFIC_ATTRIBUTES, COUNT]",
        &queried,
    );
    let all_covered =
        fields.iter().all(|name| indexes.iter().all(|index| index.covers(&resource.table, name)));
    let read = match all_covered {
        true => statement(
            "Connect",
            "dynamodb:GetItem",
            &own,
            "SPECIFIC_ATTRIBUTES",
            resource.table.key,
        ),
        false => statement(
            "Fetch",
            "[dynamodb:GetItem, dynamodb:BatchGetItem]",
            &own,
            "SPECIFIC_ATTRIBUTES",
            &fields,
        ),
    };
    list + &read
}

fn statement(sid: &str, action: &str, resource: &str, select: &str, attributes: &[&str]) -> String {
    const INDENT: usize = 20;
    let mut list = format!("{}dynamodb:Attributes: [", " ".repeat(INDENT));
    let mut column = list.len();
    for (index, name) in attributes.iter().enumerate() {
        let last = if index + 1 == attributes.len() { "]" } else { "," };
        if column + name.len() + 2 > WIDTH {
            let _ = write!(list, "\n{}", " ".repeat(INDENT + 2));
            column = INDENT + 2;
        } else if index > 0 {
            list.push(' ');
            column += 1;
        }
        let _ = write!(list, "{name}{last}");
        column += name.len() + 1;
    }
    format!(
        "              - Sid: {sid}\n                Effect: Allow\n                Action: {action}\n                Resource:{resource}                \
         Condition:\n                  StringEquals: {{dynamodb:Select: {select}}}\n                  ForAllValues:StringEquals:\n{list}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_those_of_the_plans() {
        let text = statements(&shop::PRODUCTS, true, "ProductsTable");
        assert!(
            text.contains("dynamodb:Attributes: [shard, productId, name, category, brand, price,"),
            "{text}"
        );
        assert!(
            text.contains("Action: [dynamodb:GetItem, dynamodb:BatchGetItem]")
                && text.lines().all(|line| line.len() <= WIDTH),
            "{text}"
        );
        let text = statements(&shop::ORDERS, true, "OrdersTable");
        assert!(
            text.contains("Sid: Connect")
                && text.contains("dynamodb:Attributes: [userId, orderId]\n"),
            "{text}"
        );
        assert!(statements(&shop::USERS, false, "UsersTable").contains("Sid: Get\n"));
    }
}

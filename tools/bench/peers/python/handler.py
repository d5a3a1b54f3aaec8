"""The same routes with boto3's resource, as a Lambda handler for API Gateway payload 2.0."""

import base64
import json
import os
from decimal import Decimal

import boto3
from boto3.dynamodb.conditions import Key

USER = ["userId", "name", "email", "phone", "profilePicture", "birthDate", "address", "company", "createdAt", "updatedAt"]
SUMMARY = ["productId", "name", "category", "brand", "price", "currency", "rating", "stock", "thumbnail", "createdAt"]
ORDER = ["orderId", "userId", "status", "placedAt", "updatedAt", "currency", "total", "itemCount"]

dynamodb = boto3.resource("dynamodb")
users = dynamodb.Table(os.environ["USERS_TABLE"])
products = dynamodb.Table(os.environ["PRODUCTS_TABLE"])
orders = dynamodb.Table(os.environ["ORDERS_TABLE"])


def projection(names):
    return {
        "ProjectionExpression": ",".join(f"#p{i}" for i in range(len(names))),
        "ExpressionAttributeNames": {f"#p{i}": name for i, name in enumerate(names)},
    }


def number(value):
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(type(value).__name__)


def get_user(user_id):
    item = users.get_item(Key={"userId": user_id}, **projection(USER))["Item"]
    return {name: item[name] for name in USER if name in item}


def newest(table, index, condition, sort, key, names, limit):
    """The newest first of one partition of an index that is sorted by `sort` and `key`."""
    found = table.query(
        IndexName=index, KeyConditionExpression=condition, ScanIndexForward=False, Limit=limit + 1, **projection(names)
    )["Items"]
    items = [{name: item[name] for name in names if name in item} for item in found[:limit]]
    following = None
    if len(found) > limit:
        last = json.dumps({sort: items[-1][sort], key: items[-1][key]})
        following = base64.urlsafe_b64encode(last.encode()).decode().rstrip("=")
    return {"items": items, "page": {"limit": limit, "next": following, "prev": None}}


def handler(event, _context):
    user_id = (event.get("pathParameters") or {}).get("userId")
    limit = int((event.get("queryStringParameters") or {}).get("limit", 25))
    if event["rawPath"].endswith("/orders"):
        body = newest(orders, "byPlacedAt", Key("userId").eq(user_id), "placedAt", "orderId", ORDER, limit)
    elif user_id:
        body = get_user(user_id)
    else:
        body = newest(products, "byShardCreatedAt", Key("shard").eq(0), "createdAt", "productId", SUMMARY, limit)
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(body, default=number, separators=(",", ":")),
    }

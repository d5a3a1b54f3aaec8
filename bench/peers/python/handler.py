"""The same routes with boto3's resource, as a Lambda handler for API Gateway payload 2.0."""

import base64
import json
import os
from decimal import Decimal

import boto3
from boto3.dynamodb.conditions import Key

USER = ["userId", "name", "email", "phone", "profilePicture", "birthDate", "address", "company", "createdAt", "updatedAt"]
SUMMARY = ["productId", "name", "category", "brand", "price", "currency", "rating", "stock", "thumbnail", "createdAt"]

dynamodb = boto3.resource("dynamodb")
users = dynamodb.Table(os.environ["USERS_TABLE"])
products = dynamodb.Table(os.environ["PRODUCTS_TABLE"])


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


def list_products(limit):
    found = products.query(
        IndexName="byShardCreatedAt",
        KeyConditionExpression=Key("shard").eq(0),
        ScanIndexForward=False,
        Limit=limit + 1,
        **projection(SUMMARY),
    )["Items"]
    items = [{name: item[name] for name in SUMMARY if name in item} for item in found[:limit]]
    following = None
    if len(found) > limit:
        last = json.dumps({"createdAt": items[-1]["createdAt"], "productId": items[-1]["productId"]})
        following = base64.urlsafe_b64encode(last.encode()).decode().rstrip("=")
    return {"items": items, "page": {"limit": limit, "next": following, "prev": None}}


def handler(event, _context):
    if event["rawPath"].startswith("/v1/users/"):
        body = get_user(event["pathParameters"]["id"])
    else:
        body = list_products(int((event.get("queryStringParameters") or {}).get("limit", 25)))
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(body, default=number, separators=(",", ":")),
    }

import tensorflow as tf

from benchmarks.flops import count_flops


def test_products_and_einsums_are_counted_alike():
    a, b = tf.zeros((4, 5, 6)), tf.zeros((4, 6, 7))
    expected = 2 * 4 * 5 * 6 * 7
    assert count_flops(tf.matmul, [a, b]) == expected
    einsum = count_flops(lambda a, b: tf.einsum("bij,bjk->bik", a, b), [a, b])
    assert einsum == expected


def test_a_broadcast_product_counts_every_module():
    kernel = tf.Variable(tf.zeros((3, 6, 7)))
    x = tf.zeros((5, 6))
    assert count_flops(lambda x: tf.matmul(x, kernel), [x]) == 2 * 3 * 5 * 6 * 7

module @composites {
  func.func public @main(%arg0: tensor<2x4xf32>, %arg1: tensor<4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>, tensor<2xui32>) {
    %0 = stablehlo.broadcast_in_dim %arg1, dims = [1] : (tensor<4xf32>) -> tensor<2x4xf32>
    %1 = stablehlo.multiply %0, %arg0 : tensor<2x4xf32>
    %2 = stablehlo.constant dense<0.3183098861837907> : tensor<f32>
    %3 = stablehlo.broadcast_in_dim %2, dims = [] : (tensor<f32>) -> tensor<2x4xf32>
    %4 = stablehlo.multiply %1, %3 : tensor<2x4xf32>
    %5 = stablehlo.round_nearest_even %4 : tensor<2x4xf32>
    %6 = stablehlo.constant dense<3.1416015625> : tensor<f32>
    %7 = stablehlo.broadcast_in_dim %6, dims = [] : (tensor<f32>) -> tensor<2x4xf32>
    %8 = stablehlo.multiply %5, %7 : tensor<2x4xf32>
    %9 = stablehlo.subtract %1, %8 : tensor<2x4xf32>
    %10 = stablehlo.constant dense<-8.908910206884002e-06> : tensor<f32>
    %11 = stablehlo.broadcast_in_dim %10, dims = [] : (tensor<f32>) -> tensor<2x4xf32>
    %12 = stablehlo.multiply %5, %11 : tensor<2x4xf32>
    %13 = stablehlo.subtract %9, %12 : tensor<2x4xf32>
    %14 = stablehlo.constant dense<-1.6> : tensor<f32>
    %15 = stablehlo.broadcast_in_dim %14, dims = [] : (tensor<f32>) -> tensor<2x4xf32>
    %16 = stablehlo.maximum %13, %15 : tensor<2x4xf32>
    %17 = stablehlo.constant dense<1.6> : tensor<f32>
    %18 = stablehlo.broadcast_in_dim %17, dims = [] : (tensor<f32>) -> tensor<2x4xf32>
    %19 = stablehlo.minimum %16, %18 : tensor<2x4xf32>
    %20 = stablehlo.multiply %19, %19 : tensor<2x4xf32>
    %21 = stablehlo.constant dense<2.599751832598997e-06> : tensor<f32>
    %22 = stablehlo.broadcast_in_dim %21, dims = [] : (tensor<f32>) -> tensor<2x4xf32>
    %23 = stablehlo.multiply %22, %20 : tensor<2x4xf32>
    %24 = stablehlo.constant dense<-0.00019806478979563047> : tensor<f32>
    %25 = stablehlo.broadcast_in_dim %24, dims = [] : (tensor<f32>) -> tensor<2x4xf32>
    %26 = stablehlo.add %23, %25 : tensor<2x4xf32>
    %27 = stablehlo.multiply %26, %20 : tensor<2x4xf32>
    %28 = stablehlo.constant dense<0.008333015417888914> : tensor<f32>
    %29 = stablehlo.broadcast_in_dim %28, dims = [] : (tensor<f32>) -> tensor<2x4xf32>
    %30 = stablehlo.add %27, %29 : tensor<2x4xf32>
    %31 = stablehlo.multiply %30, %20 : tensor<2x4xf32>
    %32 = stablehlo.constant dense<-0.16666657020578715> : tensor<f32>
    %33 = stablehlo.broadcast_in_dim %32, dims = [] : (tensor<f32>) -> tensor<2x4xf32>
    %34 = stablehlo.add %31, %33 : tensor<2x4xf32>
    %35 = stablehlo.multiply %20, %34 : tensor<2x4xf32>
    %36 = stablehlo.multiply %19, %35 : tensor<2x4xf32>
    %37 = stablehlo.add %19, %36 : tensor<2x4xf32>
    %38 = stablehlo.multiply %37, %37 : tensor<2x4xf32>
    %39 = stablehlo.constant dense<1.0> : tensor<f32>
    %40 = stablehlo.broadcast_in_dim %39, dims = [] : (tensor<f32>) -> tensor<4xf32>
    %41 = stablehlo.constant dense<1.0e-09> : tensor<f32>
    %42 = stablehlo.broadcast_in_dim %41, dims = [] : (tensor<f32>) -> tensor<4xf32>
    %43 = stablehlo.add %arg1, %42 : tensor<4xf32>
    %44 = stablehlo.divide %40, %43 : tensor<4xf32>
    %45 = stablehlo.broadcast_in_dim %44, dims = [1] : (tensor<4xf32>) -> tensor<2x4xf32>
    %46 = stablehlo.multiply %38, %45 : tensor<2x4xf32>
    %47 = stablehlo.add %arg0, %46 : tensor<2x4xf32>
    %48 = stablehlo.multiply %arg0, %arg0 : tensor<2x4xf32>
    %49 = stablehlo.constant dense<0.0> : tensor<f32>
    %50 = stablehlo.reduce(%48 init: %49) applies stablehlo.add across dimensions = [1] : (tensor<2x4xf32>, tensor<f32>) -> tensor<2xf32>
    %51 = stablehlo.reshape %50 : (tensor<2xf32>) -> tensor<2x1xf32>
    %52 = stablehlo.constant dense<0.25> : tensor<f32>
    %53 = stablehlo.broadcast_in_dim %52, dims = [] : (tensor<f32>) -> tensor<2x1xf32>
    %54 = stablehlo.multiply %51, %53 : tensor<2x1xf32>
    %55 = stablehlo.constant dense<1.0e-06> : tensor<f32>
    %56 = stablehlo.broadcast_in_dim %55, dims = [] : (tensor<f32>) -> tensor<2x1xf32>
    %57 = stablehlo.add %54, %56 : tensor<2x1xf32>
    %58 = stablehlo.rsqrt %57 : tensor<2x1xf32>
    %59 = stablehlo.broadcast_in_dim %58, dims = [0, 1] : (tensor<2x1xf32>) -> tensor<2x4xf32>
    %60 = stablehlo.multiply %arg0, %59 : tensor<2x4xf32>
    %61 = stablehlo.broadcast_in_dim %arg1, dims = [1] : (tensor<4xf32>) -> tensor<2x4xf32>
    %62 = stablehlo.multiply %60, %61 : tensor<2x4xf32>
    %63 = stablehlo.constant dense<"0x0000000001000000"> : tensor<2xui32>
    %64 = stablehlo.constant dense<0> : tensor<ui32>
    %65 = stablehlo.broadcast_in_dim %64, dims = [] : (tensor<ui32>) -> tensor<2xui32>
    %66 = stablehlo.iota dim = 0 : tensor<2xui32>
    %67 = stablehlo.slice %63 [0:1] : (tensor<2xui32>) -> tensor<1xui32>
    %68 = stablehlo.reshape %67 : (tensor<1xui32>) -> tensor<ui32>
    %69 = stablehlo.broadcast_in_dim %68, dims = [] : (tensor<ui32>) -> tensor<2xui32>
    %70 = stablehlo.add %65, %69 : tensor<2xui32>
    %71 = stablehlo.slice %63 [1:2] : (tensor<2xui32>) -> tensor<1xui32>
    %72 = stablehlo.reshape %71 : (tensor<1xui32>) -> tensor<ui32>
    %73 = stablehlo.broadcast_in_dim %72, dims = [] : (tensor<ui32>) -> tensor<2xui32>
    %74 = stablehlo.add %66, %73 : tensor<2xui32>
    %75 = stablehlo.constant dense<"0x0D0000000F0000001A00000006000000110000001D00000010000000180000000D0000000F0000001A00000006000000110000001D00000010000000180000000D0000000F0000001A00000006000000"> : tensor<5x4xui32>
    %76 = stablehlo.reshape %68 : (tensor<ui32>) -> tensor<1xui32>
    %77 = stablehlo.reshape %72 : (tensor<ui32>) -> tensor<1xui32>
    %78 = stablehlo.xor %68, %72 : tensor<ui32>
    %79 = stablehlo.constant dense<466688986> : tensor<ui32>
    %80 = stablehlo.xor %78, %79 : tensor<ui32>
    %81 = stablehlo.reshape %80 : (tensor<ui32>) -> tensor<1xui32>
    %82 = stablehlo.concatenate %76, %77, %81, dim = 0 : (tensor<1xui32>, tensor<1xui32>, tensor<1xui32>) -> tensor<3xui32>
    %83 = stablehlo.constant dense<"0x0100000002000000000000000100000002000000"> : tensor<5xi32>
    %84 = "stablehlo.gather"(%82, %83) <{dimension_numbers = #stablehlo.gather<offset_dims = [], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1>}> : (tensor<3xui32>, tensor<5xi32>) -> tensor<5xui32>
    %85 = stablehlo.constant dense<"0x0200000000000000010000000200000000000000"> : tensor<5xi32>
    %86 = "stablehlo.gather"(%82, %85) <{dimension_numbers = #stablehlo.gather<offset_dims = [], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1>}> : (tensor<3xui32>, tensor<5xi32>) -> tensor<5xui32>
    %87 = stablehlo.constant dense<"0x0100000002000000030000000400000005000000"> : tensor<5xui32>
    %88 = stablehlo.add %86, %87 : tensor<5xui32>
    %89 = stablehlo.constant dense<0> : tensor<i32>
    %90:3 = stablehlo.while(%91 = %89, %92 = %70, %93 = %74) : tensor<i32>, tensor<2xui32>, tensor<2xui32>
    cond {
      %94 = stablehlo.constant dense<5> : tensor<i32>
      %95 = stablehlo.compare LT, %91, %94, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %95 : tensor<i1>
    } do {
      %96 = stablehlo.constant dense<0> : tensor<i32>
      %97 = stablehlo.dynamic_slice %75, %91, %96, sizes = [1, 4] : (tensor<5x4xui32>, tensor<i32>, tensor<i32>) -> tensor<1x4xui32>
      %98 = stablehlo.reshape %97 : (tensor<1x4xui32>) -> tensor<4xui32>
      %99 = stablehlo.dynamic_slice %84, %91, sizes = [1] : (tensor<5xui32>, tensor<i32>) -> tensor<1xui32>
      %100 = stablehlo.reshape %99 : (tensor<1xui32>) -> tensor<ui32>
      %101 = stablehlo.dynamic_slice %88, %91, sizes = [1] : (tensor<5xui32>, tensor<i32>) -> tensor<1xui32>
      %102 = stablehlo.reshape %101 : (tensor<1xui32>) -> tensor<ui32>
      %103 = stablehlo.add %92, %93 : tensor<2xui32>
      %104 = stablehlo.slice %98 [0:1] : (tensor<4xui32>) -> tensor<1xui32>
      %105 = stablehlo.reshape %104 : (tensor<1xui32>) -> tensor<ui32>
      %106 = stablehlo.broadcast_in_dim %105, dims = [] : (tensor<ui32>) -> tensor<2xui32>
      %107 = stablehlo.shift_left %93, %106 : tensor<2xui32>
      %108 = stablehlo.constant dense<32> : tensor<ui32>
      %109 = stablehlo.broadcast_in_dim %108, dims = [] : (tensor<ui32>) -> tensor<2xui32>
      %110 = stablehlo.subtract %109, %106 : tensor<2xui32>
      %111 = stablehlo.shift_right_logical %93, %110 : tensor<2xui32>
      %112 = stablehlo.or %107, %111 : tensor<2xui32>
      %113 = stablehlo.xor %112, %103 : tensor<2xui32>
      %114 = stablehlo.add %103, %113 : tensor<2xui32>
      %115 = stablehlo.slice %98 [1:2] : (tensor<4xui32>) -> tensor<1xui32>
      %116 = stablehlo.reshape %115 : (tensor<1xui32>) -> tensor<ui32>
      %117 = stablehlo.broadcast_in_dim %116, dims = [] : (tensor<ui32>) -> tensor<2xui32>
      %118 = stablehlo.shift_left %113, %117 : tensor<2xui32>
      %119 = stablehlo.constant dense<32> : tensor<ui32>
      %120 = stablehlo.broadcast_in_dim %119, dims = [] : (tensor<ui32>) -> tensor<2xui32>
      %121 = stablehlo.subtract %120, %117 : tensor<2xui32>
      %122 = stablehlo.shift_right_logical %113, %121 : tensor<2xui32>
      %123 = stablehlo.or %118, %122 : tensor<2xui32>
      %124 = stablehlo.xor %123, %114 : tensor<2xui32>
      %125 = stablehlo.add %114, %124 : tensor<2xui32>
      %126 = stablehlo.slice %98 [2:3] : (tensor<4xui32>) -> tensor<1xui32>
      %127 = stablehlo.reshape %126 : (tensor<1xui32>) -> tensor<ui32>
      %128 = stablehlo.broadcast_in_dim %127, dims = [] : (tensor<ui32>) -> tensor<2xui32>
      %129 = stablehlo.shift_left %124, %128 : tensor<2xui32>
      %130 = stablehlo.constant dense<32> : tensor<ui32>
      %131 = stablehlo.broadcast_in_dim %130, dims = [] : (tensor<ui32>) -> tensor<2xui32>
      %132 = stablehlo.subtract %131, %128 : tensor<2xui32>
      %133 = stablehlo.shift_right_logical %124, %132 : tensor<2xui32>
      %134 = stablehlo.or %129, %133 : tensor<2xui32>
      %135 = stablehlo.xor %134, %125 : tensor<2xui32>
      %136 = stablehlo.add %125, %135 : tensor<2xui32>
      %137 = stablehlo.broadcast_in_dim %100, dims = [] : (tensor<ui32>) -> tensor<2xui32>
      %138 = stablehlo.add %136, %137 : tensor<2xui32>
      %139 = stablehlo.slice %98 [3:4] : (tensor<4xui32>) -> tensor<1xui32>
      %140 = stablehlo.reshape %139 : (tensor<1xui32>) -> tensor<ui32>
      %141 = stablehlo.broadcast_in_dim %140, dims = [] : (tensor<ui32>) -> tensor<2xui32>
      %142 = stablehlo.shift_left %135, %141 : tensor<2xui32>
      %143 = stablehlo.constant dense<32> : tensor<ui32>
      %144 = stablehlo.broadcast_in_dim %143, dims = [] : (tensor<ui32>) -> tensor<2xui32>
      %145 = stablehlo.subtract %144, %141 : tensor<2xui32>
      %146 = stablehlo.shift_right_logical %135, %145 : tensor<2xui32>
      %147 = stablehlo.or %142, %146 : tensor<2xui32>
      %148 = stablehlo.xor %147, %136 : tensor<2xui32>
      %149 = stablehlo.broadcast_in_dim %102, dims = [] : (tensor<ui32>) -> tensor<2xui32>
      %150 = stablehlo.add %148, %149 : tensor<2xui32>
      %151 = stablehlo.constant dense<1> : tensor<i32>
      %152 = stablehlo.add %91, %151 : tensor<i32>
      stablehlo.return %152, %138, %150 : tensor<i32>, tensor<2xui32>, tensor<2xui32>
    }
    %153 = stablehlo.xor %90#1, %90#2 : tensor<2xui32>
    return %47, %62, %153 : tensor<2x4xf32>, tensor<2x4xf32>, tensor<2xui32>
  }
}
